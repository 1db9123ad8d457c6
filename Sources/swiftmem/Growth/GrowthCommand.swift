// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Probes
internal import Reports

/// Which stacks make resident memory grow.
struct Growth: Tool {
    static let configuration = CommandConfiguration(
        commandName: "growth",
        abstract: "Stacks that make resident memory grow: of processes, a command, a cgroup.",
        usage: """
            swiftmem growth -p <pid> ... [<options>] [<interval>] [<count>]
            swiftmem growth -c <command> [<options>] [<interval>] [<count>] [-- <argument> ...]
            swiftmem growth --cgroup <path> [<options>] [<interval>] [<count>]
            """,
        discussion: """
            Counts the pages that become resident, by the stack that first touched them, whatever \
            the program's language or allocator. What counts is the kernel's own counters of \
            resident pages: anonymous memory, files, shared memory. A fault that maps many pages \
            counts them all, a copy of a page that was resident already counts none. Reports tell \
            what came since the start.

            A stack's pages are resident until they are given back or reclaimed; a page that is \
            touched again after that belongs to the stack that did so. Of pages that are mapped \
            around a fault in a file, which ones they are is taken to be those next to it. What \
            mmap with MAP_POPULATE or mlock make resident counts for its stack, but what of it is \
            resident still is not known.
            """)

    static var modes: [ToolMode] { [GrowthProbes.mode()] }

    @OptionGroup var arguments: GrowthArguments
    @OptionGroup var report: ReportOptions

    func run() throws {
        if try Environment.kernel(btf: report.btf) is RunningKernel {
            try Capabilities.own.require(for: Self.name)
        }
        let plan = try GrowthPlan(arguments)
        var session = try Session(
            GrowthProbes.mode(
                config: plan.config, filter: plan.filter, stack: plan.stack, runsCommand: plan.target.isCommand), report
        )
        var source = try GrowthSource(plan, session)
        try ReportLoop.run(
            &source, &session,
            ReportLoop.Pace(
                interval: arguments.interval.value, count: arguments.count?.value, duration: report.duration?.value))
        try session.finish()
        try arguments.target.check(source.exitStatus)
    }
}
