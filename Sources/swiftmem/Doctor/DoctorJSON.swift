// SPDX-License-Identifier: Apache-2.0
internal import Probes
internal import Reports

/// doctor's JSON; Docs/schema has it.
enum DoctorJSON {
    static func machine(kernel: String, version: String, missingCapabilities: [String]) -> JSONLine {
        var line = JSONLine(type: "doctor_machine")
        line.add("kernel", kernel)
        line.add("version", version)
        line.add("missing_capabilities", missingCapabilities)
        return line
    }

    static func feature(_ feature: KernelFeature, _ support: Support) -> JSONLine {
        var line = JSONLine(type: "doctor_feature")
        line.add("feature", feature.name)
        line.add("since", feature.since.description)
        line.add("supported", support.isSupported)
        line.add("reason", support.isSupported ? nil : support.reason)
        return line
    }

    /// - Parameter instructions: how many the verifier looked at; nil: the kernel does not say.
    static func verifier(tool: String, program: String, instructions: Int?) -> JSONLine {
        var line = JSONLine(type: "doctor_verifier")
        line.add("tool", tool)
        line.add("program", program)
        line.add("instructions", instructions)
        return line
    }

    /// - Parameters:
    ///   - mode: nil: the tool has one only.
    ///   - failure: why it does not work; nil: it does.
    ///   - wanting: what it does less well for want of a capability.
    static func tool(
        _ tool: String, mode: String?, failure: String?, wanting: [String], choices: [Choice]
    ) -> JSONLine {
        var line = JSONLine(type: "doctor_tool")
        line.add("tool", tool)
        line.add("mode", mode)
        line.add("works", failure == nil)
        line.add("failure", failure)
        line.add("wanting", wanting)
        line.add("ladders", choices.map(ladder))
        return line
    }

    /// A tool that could not be tried, for capabilities are missing.
    static func unknown(_ tool: String, mode: String?) -> JSONLine {
        var line = JSONLine(type: "doctor_tool")
        line.add("tool", tool)
        line.add("mode", mode)
        line.add("works", Bool?.none)
        line.add("failure", String?.none)
        line.add("wanting", [String]?.none)
        line.add("ladders", [JSONLine]?.none)
        return line
    }

    private static func ladder(_ choice: Choice) -> JSONLine {
        var line = JSONLine()
        line.add("ladder", choice.ladder.id)
        line.add("sees", choice.ladder.sees)
        line.add("rung", choice.rung?.id)
        line.add("mechanism", choice.rung?.mechanism.rawValue)
        line.add("kernels", choice.rung?.kernels.description)
        line.add("cannot_see", choice.rung?.cannotSee)
        line.add("without", choice.rung == nil ? choice.ladder.without : nil)
        line.add("rungs", choice.ladder.rungs.map(rung))
        line.add(
            "passed_over",
            choice.passedOver.map { passed in
                var line = JSONLine()
                line.add("rung", passed.rung)
                line.add("reason", passed.reason)
                return line
            })
        return line
    }

    /// A rung as data: its range is what the kernel matrix holds results against.
    private static func rung(_ rung: Rung) -> JSONLine {
        var line = JSONLine()
        line.add("rung", rung.id)
        line.add("mechanism", rung.mechanism.rawValue)
        line.add("first_kernel", rung.kernels.first?.version.description)
        line.add("last_kernel", rung.kernels.last?.version.description)
        line.add("or_backported", rung.kernels.first.map { !$0.isEnforced } ?? false)
        return line
    }
}
