// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Reports

/// A manual page, from the binary itself: packages are made with it, and where none is installed it can be read.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual",
        abstract: "A manual page: swiftmem manual cachestat | man -l -",
        shouldDisplay: false)

    @Argument(help: ArgumentHelp("The subcommand; of all, the names of their pages.", valueName: "subcommand"))
    var subcommand: String?

    @Flag(help: "Names of the tools, one a line.")
    var tools = false

    func run() throws {
        var output = Output()
        if tools {
            for tool in swiftmem.tools { output.print(tool.name) }
        } else if let page {
            output.print(page.text)
        } else if let subcommand {
            throw Failure.badValue(Suggestion.noSubcommand(subcommand))
        } else {
            output.print(ManualPage().file)
            for command in guidedCommands { output.print(ManualPage(command).file) }
        }
        _ = try output.flush()
    }

    private var page: ManualPage? {
        guard let subcommand else { return nil }
        if subcommand == "swiftmem" { return ManualPage() }
        let name = subcommand.hasPrefix("swiftmem-") ? String(subcommand.dropFirst("swiftmem-".count)) : subcommand
        return guidedCommands.first { $0.name == name }.map(ManualPage.init)
    }
}
