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
        let names = tools.map { $0.probes.tool }
        if let only, !names.contains(only) {
            throw ValidationError("\(Printable.text(only)): no such tool; there are \(names.joined(separator: ", "))")
        }
        let kernel = Environment.kernel(btf: btf)
        let forced = try Environment.forcedRungs()
        let missing = Capabilities.own.missing
        var output = Output()
        json ? machineJSON(missing, &output) : machineText(missing, &output)
        if only == nil, let running = kernel as? RunningKernel { features(running, &output) }

        var works = true
        for tool in tools where only == nil || tool.probes.tool == only {
            for probes in [tool.probes] + tool.otherProbes.filter({ $0.mode != nil }) {
                works = examine(tool, probes, kernel, forced, &output) && works
            }
        }
        _ = try output.flush()
        if !works { throw ExitCode(missing.isEmpty ? Failure.Status.unavailable : Failure.Status.permission) }
    }

    /// Loads and attaches what a tool uses, for a moment; says whether it could.
    private func examine(
        _ tool: any Tool.Type, _ probes: ProbeSet, _ kernel: any KernelOracle, _ forced: ForcedRungs,
        _ output: inout Output
    ) -> Bool {
        do throws(ProbeError) {
            let attached = try AttachedProbes.attach(
                probes, image: objectImage(probes.object), oracle: kernel, forced: forced, btf: btf,
                configure: { (object, resolution) throws(BPFError) in
                    try setPossibleCPUs(of: object)
                    try tool.configure(object, resolution)
                    if verifier { try object.measureVerifier() }
                })
            if verifier { showVerifier(attached, &output) }
            show(probes, attached.resolution.choices, nil, &output)
            return true
        } catch {
            let resolver = Resolver(oracle: kernel, forced: forced)
            let resolution = try? AttachedProbes.resolve(
                probes, image: objectImage(probes.object), resolver: resolver)
            show(probes, resolution?.choices ?? [], Failure(error).message, &output)
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
        var line = JSONLine(type: "doctor_machine")
        line.add("kernel", KernelVersion.runningRelease)
        line.add("version", swiftmemVersion)
        line.add("missing_capabilities", missing)
        output.print(line)
    }

    private func features(_ kernel: RunningKernel, _ output: inout Output) {
        if !json { output.print("\nFeatures") }
        for feature in KernelFeature.all {
            let support = feature.support(on: kernel)
            if json {
                var line = JSONLine(type: "doctor_feature")
                line.add("feature", feature.name)
                line.add("since", feature.since.description)
                line.add("supported", support.isSupported)
                line.add("reason", support.isSupported ? nil : support.reason)
                output.print(line)
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
            var line = JSONLine(type: "doctor_verifier")
            line.add("tool", attached.resolution.tool)
            line.add("program", program)
            line.add("instructions", (try? attached.object.program(program))?.verifiedInstructions)
            output.print(line)
        }
    }

    private func show(
        _ probes: ProbeSet, _ choices: [Choice], _ failure: String?, _ output: inout Output
    ) {
        guard !json else { return showJSON(probes, choices, failure, &output) }
        let name = probes.tool + (probes.mode.map { " (\($0))" } ?? "")
        output.print("\n\(name.left(12))  " + (failure.map { "DOES NOT WORK: \($0)" } ?? "works"))
        for choice in choices {
            let rung = choice.rung.map { "\($0.name) (\($0.kernels))" } ?? "none"
            output.print("  \(choice.ladder.name.left(12)) \(rung)")
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
    }

    private func showJSON(
        _ probes: ProbeSet, _ choices: [Choice], _ failure: String?, _ output: inout Output
    ) {
        var line = JSONLine(type: "doctor_tool")
        line.add("tool", probes.tool)
        line.add("mode", probes.mode)
        line.add("works", failure == nil)
        line.add("failure", failure)
        line.add(
            "ladders",
            choices.map { choice in
                var ladder = JSONLine()
                ladder.add("ladder", choice.ladder.name)
                ladder.add("sees", choice.ladder.purpose)
                ladder.add("rung", choice.rung?.name)
                ladder.add("rungs", choice.ladder.rungs.map(\.name))
                ladder.add("kernels", choice.rung?.kernels)
                ladder.add("cannot_see", choice.rung?.cannotSee)
                ladder.add("without", choice.rung == nil ? choice.ladder.without : nil)
                ladder.add(
                    "passed_over",
                    choice.passedOver.map { passed in
                        var line = JSONLine()
                        line.add("rung", passed.rung)
                        line.add("reason", passed.reason)
                        return line
                    })
                return ladder
            })
        output.print(line)
    }
}
