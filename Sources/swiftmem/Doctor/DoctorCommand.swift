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
        let kernel = Environment.kernel(btf: btf)
        let forced = try Environment.forcedRungs()
        let missing = Capabilities.own.missing
        var output = Output()
        json ? machineJSON(missing, &output) : machineText(missing, &output)
        if only == nil, let running = kernel as? RunningKernel { features(running, &output) }

        var works = true
        for tool in tools where only == nil || tool.name == only {
            for mode in tool.modes {
                works = examine(mode, kernel, forced, &output) && works
            }
        }
        _ = try output.flush()
        if !works { throw ExitCode(missing.isEmpty ? Failure.Status.unavailable : Failure.Status.permission) }
    }

    /// Loads and attaches what a mode of a tool uses, for a moment; says whether it could.
    private func examine(
        _ mode: ToolMode, _ kernel: any KernelOracle, _ forced: ForcedRungs, _ output: inout Output
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
            show(mode, attached.resolution.choices, nil, &output)
            return true
        } catch {
            let resolver = Resolver(oracle: kernel, forced: forced)
            let resolution = try? AttachedProbes.resolve(
                probes, image: objectImage(probes.object), resolver: resolver)
            show(mode, resolution?.choices ?? [], Failure(error).message, &output)
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
        for feature in KernelFeature.allCases {
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
        _ mode: ToolMode, _ choices: [Choice], _ failure: String?, _ output: inout Output
    ) {
        guard !json else { return showJSON(mode, choices, failure, &output) }
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
    }

    private func showJSON(
        _ mode: ToolMode, _ choices: [Choice], _ failure: String?, _ output: inout Output
    ) {
        var line = JSONLine(type: "doctor_tool")
        line.add("tool", mode.probes.tool)
        line.add("mode", mode.name)
        line.add("works", failure == nil)
        line.add("failure", failure)
        line.add("ladders", choices.map(object))
        output.print(line)
    }

    private func object(_ choice: Choice) -> JSONLine {
        var ladder = JSONLine()
        ladder.add("ladder", choice.ladder.id)
        ladder.add("sees", choice.ladder.sees)
        ladder.add("rung", choice.rung?.id)
        ladder.add("mechanism", choice.rung?.mechanism.rawValue)
        ladder.add("kernels", choice.rung?.kernels.description)
        ladder.add("cannot_see", choice.rung?.cannotSee)
        ladder.add("without", choice.rung == nil ? choice.ladder.without : nil)
        ladder.add("rungs", choice.ladder.rungs.map(object))
        ladder.add(
            "passed_over",
            choice.passedOver.map { passed in
                var line = JSONLine()
                line.add("rung", passed.rung)
                line.add("reason", passed.reason)
                return line
            })
        return ladder
    }

    /// A rung as data: its range is what the kernel matrix holds results against.
    private func object(_ rung: Rung) -> JSONLine {
        var line = JSONLine()
        line.add("rung", rung.id)
        line.add("mechanism", rung.mechanism.rawValue)
        line.add("first_kernel", rung.kernels.first?.version.description)
        line.add("last_kernel", rung.kernels.last?.version.description)
        line.add("or_backported", rung.kernels.first.map { !$0.isEnforced } ?? false)
        return line
    }
}
