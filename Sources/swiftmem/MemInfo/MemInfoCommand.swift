// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// Where the memory is, to the last page.
struct MemInfo: Tool {
    static let configuration = CommandConfiguration(
        commandName: "meminfo",
        abstract: "Where the machine's memory is: parts that sum to MemTotal, and what no counter owns.",
        discussion: """
            Prints a tree of MemTotal in parts that do not overlap, and the remainder with its error. \
            With an interval it goes on, and says by how much each has changed. \
            Needs no rights. As root it also tells memfds, shared anonymous memory, deleted files and \
            other containers' mounts apart, and what waits in pipes, sockets and rings.
            """)

    @Argument(help: "Seconds between reports (default: one report, and the end).")
    var interval: Seconds?
    @Argument(help: "Reports to make (default: until Ctrl-C).")
    var count: ReportCount?
    @Flag(help: "One report, and the end.")
    var once = false
    @Flag(help: "The parts alone, without what is in them.")
    var brief = false
    @Flag(help: "Also the processes: resident, their share of it, swapped out.")
    var processes = false
    @Flag(help: "Also the memory cgroups, with what is below them.")
    var cgroups = false
    @Flag(help: "Also the largest files of shared memory, and who holds them.")
    var files = false
    @Flag(help: "Also each NUMA node, and each zone with its watermarks; what the kernel is set to.")
    var numa = false
    @Option(name: [.short, .long], help: ArgumentHelp("Rows of each table; --json has all.", valueName: "n"))
    var rows = ReportCount(value: 10)
    @Option(
        help: ArgumentHelp("Time for reading processes' shares, the largest first.", valueName: "seconds"))
    var pss = Seconds(0.2)
    @Flag(
        help: "Have the kernel fold what CPUs count for themselves first, on every CPU (root).")
    var exact = false
    @Flag(
        help: "Also which stacks of the kernel take the pages that no row has, from now on (root).")
    var unaccounted = false
    @Flag(help: "One JSON object a line.")
    var json = false
    @Option(name: [.short, .long], help: ArgumentHelp("End after this time.", valueName: "seconds"))
    var duration: Seconds?

    func run() throws {
        guard !once || count == nil || count?.value == 1 else {
            throw Failure.usage("--once makes one report: it goes with no count")
        }
        guard !unaccounted || !once && count?.value != 1 else {
            throw Failure.usage("--unaccounted compares two reports: it goes with an interval")
        }
        var pace = ReportLoop.Pace(
            interval: once ? nil : interval?.value ?? duration.map { min(1, $0.value) }, count: count?.value,
            duration: duration?.value)
        // without an interval: now, and ten seconds later
        if unaccounted, pace.interval == nil { pace = ReportLoop.Pace(interval: 10, count: 2, duration: nil) }
        var run = try MemInfoRun(self, pace)
        try run.run()
    }
}
