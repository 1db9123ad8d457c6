// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports

/// What works on this kernel, through which hook, and what to do where it doesn't.
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "What works on this kernel, through which hook, and why not another.",
        discussion: """
            Loads and attaches every tool's programs for a moment: what it says is what the \
            tools will do. Exit status 0 when every tool works, 69 when one doesn't, 77 when \
            permissions are missing.
            """)

    @Argument(help: ArgumentHelp("Only this tool; all without.", valueName: "tool"))
    var only: String?

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Type information of the kernel, where it has none itself.", valueName: "file"))
    var btf: String?

    @Flag(help: ArgumentHelp("Also the verifier's work on each program.", visibility: .hidden))
    var verifier = false

    func run() throws {
        let names = tools.map { $0.name }
        if let only, !names.contains(only) {
            throw ValidationError("\(Printable.text(only)): no such tool; there are \(names.joined(separator: ", "))")
        }
        try Failure.checkRoomForFiles("doctor")
        let kernel = try Environment.kernel(btf: btf)
        let forced = try Environment.forcedRungs()
        let rights = Capabilities.own
        let missing = rights.missing
        var output = Output()
        json ? machineJSON(missing, &output) : machineText(missing, &output)
        if kernel is RunningKernel && !missing.isEmpty {
            unknown(missing, &output)
            _ = try output.flush()
            throw ExitCode(Failure.Status.permission)
        }
        if only == nil, let running = kernel as? RunningKernel { features(running, &output) }

        var works = true
        for tool in tools where only == nil || tool.name == only {
            if tool.modes.isEmpty { showUnprobed(tool.name, &output) }
            for mode in tool.modes {
                works = examine(mode, kernel, forced, rights.wanting(mode.uses), &output) && works
            }
        }
        _ = try output.flush()
        if !works { throw ExitCode(Failure.Status.unavailable) }
    }

    /// A tool that attaches nothing works wherever there is a /proc.
    private func showUnprobed(_ tool: String, _ output: inout Output) {
        if json {
            output.print(DoctorJSON.tool(tool, mode: nil, failure: nil, wanting: [], choices: []))
        } else {
            output.print("\n\(tool.left(12))  works: it needs no hooks")
        }
    }

    /// The kernel answers no questions without them: what it has stays open.
    private func unknown(_ missing: [String], _ output: inout Output) {
        if !json {
            output.print("\nWhat works here can't be told without \(missing.joined(separator: " and ")).")
            for tool in tools where tool.modes.isEmpty && (only == nil || tool.name == only) {
                showUnprobed(tool.name, &output)
            }
            return
        }
        let chosen = tools.filter { only == nil || $0.name == only }
        for tool in chosen where tool.modes.isEmpty { showUnprobed(tool.name, &output) }
        for mode in chosen.flatMap({ $0.modes }) {
            output.print(DoctorJSON.unknown(mode.probes.tool, mode: mode.name))
        }
    }

    /// Loads and attaches what a mode of a tool uses, for a moment; says whether it could.
    private func examine(
        _ mode: ToolMode, _ kernel: any KernelOracle, _ forced: ForcedRungs, _ wanting: [String],
        _ output: inout Output
    ) -> Bool {
        let probes = mode.probes
        do throws(ProbeError) {
            let attached = try AttachedProbes.attach(
                probes, image: objectImage(probes.object), oracle: kernel, forced: forced, btf: btf,
                configure: { (object, resolution) throws(BPFError) in
                    try mode.prepare(object, resolution)
                    if verifier { try object.measureVerifier() }
                })
            if verifier { showVerifier(attached, &output) }
            show(mode, attached.resolution.choices, nil, wanting, &output)
            return true
        } catch {
            let resolver = Resolver(oracle: kernel, forced: forced)
            let resolution = try? AttachedProbes.resolve(
                probes, image: objectImage(probes.object), resolver: resolver)
            show(mode, resolution?.choices ?? [], Failure(error).message, wanting, &output)
            return false
        }
    }

    private func machineText(_ missing: [String], _ output: inout Output) {
        output.print("Kernel        \(KernelVersion.runningRelease)")
        output.print(
            "Permissions   "
                + (missing.isEmpty
                    ? "enough"
                    : "missing \(missing.joined(separator: " and ")): run with sudo"))
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

    private func showVerifier(_ attached: borrowing AttachedProbes, _ output: inout Output) {
        for program in attached.resolution.programs {
            output.print(
                DoctorJSON.verifier(
                    tool: attached.resolution.tool, program: program,
                    instructions: (try? attached.object.program(program))?.verifiedInstructions))
        }
    }

    private func show(
        _ mode: ToolMode, _ choices: [Choice], _ failure: String?, _ wanting: [String], _ output: inout Output
    ) {
        guard !json else {
            return output.print(
                DoctorJSON.tool(
                    mode.probes.tool, mode: mode.name, failure: failure, wanting: wanting, choices: choices))
        }
        let name = mode.probes.tool + (mode.name.map { " (\($0))" } ?? "")
        output.print("\n\(name.left(12))  " + (failure.map { "DOES NOT WORK: \($0)" } ?? "works"))
        for choice in choices {
            let rung = choice.rung.map { "\($0.id) (\($0.mechanism.rawValue); kernels: \($0.kernels))" } ?? "none"
            output.print("  \(choice.ladder.id.left(12)) \(rung)")
            for passed in choice.passedOver {
                output.print("               not \(passed.rung): \(passed.reason)")
            }
            if let rung = choice.rung, !rung.cannotSee.isEmpty {
                output.print("               does not see \(rung.cannotSee)")
            }
            if choice.rung == nil, let without = choice.ladder.without {
                output.print("               so \(without)")
            }
        }
        for line in wanting { output.print("  " + line) }
    }
}
