// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Reports

/// growth's options. GrowthPlan checks what goes together.
struct GrowthArguments: ParsableArguments {
    @OptionGroup var target: TargetOptions

    @Option(name: [.customShort("T"), .long], help: ArgumentHelp("Stacks to show.", valueName: "n"))
    var top: ReportCount = ReportCount(value: 10)

    @OptionGroup var stacks: StackOptions

    @Argument(help: "Seconds between reports.")
    var interval = Seconds(5)

    @Argument(help: "Reports to make (default: until Ctrl-C).")
    var count: ReportCount?

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The command, or its arguments.", valueName: "argument"))
    var rest: [String] = []

    /// The command and its arguments; empty where none is given.
    var words: [String] { target.words(rest) }
}
