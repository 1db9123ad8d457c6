// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports

/// What works on this kernel, through which hook, and what to do where it doesn't.
struct Doctor: Guided {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "What works on this kernel, through which hook, and why not another.",
        discussion: """
            Loads and attaches every tool's programs for a moment: what it says is what the \
            tools will do. The first line is the verdict. Exit status 0 when every tool works, \
            69 when one doesn't, 77 when permissions are missing.
            """)

    @Argument(
        help: ArgumentHelp("Only this tool; all without.", valueName: "tool"), completion: .list(tools.map { $0.name }))
    var only: String?

    @Flag(help: "Each hook, which one is used, and why not another; the kernel's features.")
    var all = false

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Type information of the kernel, where it has none itself.", valueName: "file"),
        completion: .file())
    var btf: String?

    @Flag(help: ArgumentHelp("Also the verifier's work on each program.", visibility: .hidden))
    var verifier = false

    func run() throws {
        if let only, !tools.contains(where: { $0.name == only }) {
            throw Failure.badValue("doctor: " + Suggestion.noSubcommand(only))
        }
        try Failure.checkRoomForFiles("doctor")
        let kernel = try Environment.kernel(btf: btf)
        let forced = try Environment.forcedRungs()
        let rights = Capabilities.own
        let missing = rights.missing
        var output = Output()
        if json { machineJSON(missing, &output) }
        if kernel is RunningKernel && !missing.isEmpty {
            unknown(missing, &output)
            _ = try output.flush()
            throw ExitCode(Failure.Status.permission)
        }
        if json, only == nil, let running = kernel as? RunningKernel { features(running, &output) }

        var findings: [DoctorFinding] = []
        for tool in tools where only == nil || tool.name == only {
            for mode in tool.modes {
                findings.append(examine(mode, kernel, forced, rights.wanting(mode.uses), &output))
            }
        }
        if !json { text(findings, kernel, &output) }
        _ = try output.flush()
        if findings.contains(where: { $0.failure != nil }) { throw ExitCode(Failure.Status.unavailable) }
    }

    /// The verdict first: it fits a screen, or says all.
    private func text(_ findings: [DoctorFinding], _ kernel: any KernelOracle, _ output: inout Output) {
        let text = DoctorText(isColoured: Environment.isColoured)
        let verdict = DoctorText.verdict(findings)
        output.print(findings.allSatisfy { $0.failure == nil } ? text.green(verdict) : text.red(verdict))
        output.print("Kernel \(KernelVersion.runningRelease), permissions enough.")
        guard all || only != nil else {
            output.print("")
            for line in text.brief(findings) { output.print(line) }
            output.print("\nEach hook, and why not another: swiftmem doctor --all")
            return
        }
        if only == nil, let running = kernel as? RunningKernel { features(running, &output) }
        for line in findings.flatMap(text.whole) { output.print(line) }
    }

    /// The kernel answers no questions without them: what it has stays open.
    private func unknown(_ missing: [String], _ output: inout Output) {
        if !json {
            let text = DoctorText(isColoured: Environment.isColoured)
            let verb = missing.count == 1 ? "is" : "are"
            output.print(
                text.red("What works here can't be told: \(missing.joined(separator: " and ")) \(verb) missing."))
            output.print("Kernel \(KernelVersion.runningRelease). Run it with sudo.")
            for tool in tools where tool.worksWithoutHooks && (only == nil || tool.name == only) {
                output.print("\(tool.name) works: it tells less without hooks, and needs no rights.")
            }
            return
        }
        let chosen = tools.filter { only == nil || $0.name == only }
        for tool in chosen where tool.worksWithoutHooks {
            output.print(DoctorJSON.tool(tool.name, mode: nil, failure: nil, wanting: [], choices: []))
        }
        for mode in chosen.filter({ !$0.worksWithoutHooks }).flatMap({ $0.modes }) {
            output.print(DoctorJSON.unknown(mode.probes.tool, mode: mode.name))
        }
    }

    /// Loads and attaches what a mode of a tool uses, for a moment.
    private func examine(
        _ mode: ToolMode, _ kernel: any KernelOracle, _ forced: ForcedRungs, _ wanting: [String],
        _ output: inout Output
    ) -> DoctorFinding {
        let probes = mode.probes
        do throws(ProbeError) {
            let attached = try AttachedProbes.attach(
                probes, image: objectImage(probes.object), oracle: kernel, forced: forced, btf: btf,
                configure: { (object, resolution) throws(BPFError) in
                    try mode.prepare(object, resolution)
                    if verifier { try object.measureVerifier() }
                })
            if verifier { showVerifier(attached, of: probes.object, &output) }
            return found(mode, attached.resolution.choices, nil, wanting, &output)
        } catch {
            let resolver = Resolver(oracle: kernel, forced: forced)
            let resolution = try? AttachedProbes.resolve(
                probes, image: objectImage(probes.object), resolver: resolver)
            return found(mode, resolution?.choices ?? [], Failure(error).message, wanting, &output)
        }
    }

    private func machineJSON(_ missing: [String], _ output: inout Output) {
        output.print(
            DoctorJSON.machine(
                kernel: KernelVersion.runningRelease, version: swiftmemVersion, missingCapabilities: missing))
    }

    private func features(_ kernel: RunningKernel, _ output: inout Output) {
        if !json { output.print("\nFeatures") }
        for feature in KernelFeature.allCases {
            let support = feature.support(on: kernel)
            if json {
                output.print(DoctorJSON.feature(feature, support))
            } else {
                output.print(
                    "  \(feature.name.left(16)) "
                        + (support.isSupported
                            ? "yes" : "no (since \(feature.since)): \(support.reason)"))
            }
        }
    }

    private func showVerifier(_ attached: borrowing AttachedProbes, of object: String, _ output: inout Output) {
        for program in attached.resolution.programs {
            output.print(
                DoctorJSON.verifier(
                    tool: object, program: program,
                    instructions: (try? attached.object.program(program))?.verifiedInstructions))
        }
    }

    /// JSON has it at once.
    private func found(
        _ mode: ToolMode, _ choices: [Choice], _ failure: String?, _ wanting: [String], _ output: inout Output
    ) -> DoctorFinding {
        let tool = mode.probes.tool
        if json {
            output.print(
                DoctorJSON.tool(tool, mode: mode.name, failure: failure, wanting: wanting, choices: choices))
        }
        return DoctorFinding(tool: tool, mode: mode.name, failure: failure, wanting: wanting, choices: choices)
    }
}
