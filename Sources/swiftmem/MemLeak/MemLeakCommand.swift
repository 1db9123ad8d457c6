// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Probes
internal import Reports
internal import SystemLayer

/// Which stacks allocate memory and do not free it.
struct MemLeak: Tool {
    static let configuration = CommandConfiguration(
        commandName: "memleak",
        abstract:
            "Stacks that allocate memory and do not free it: of processes, a command, a cgroup, the kernel.",
        usage: """
            swiftmem memleak [<options>] [<interval>] [<count>]
            swiftmem memleak -p <pid> ... [<options>] [<interval>] [<count>]
            swiftmem memleak -c <command> [<options>] [<interval>] [<count>] [-- <argument> ...]
            swiftmem memleak --cgroup <path> [<options>] [<interval>] [<count>]
            swiftmem memleak --replay <file> [<options>]
            swiftmem memleak --diff <before> <after> [<options>]
            """,
        discussion: """
            Without -p, -c and --cgroup it is the kernel's memory: slab objects and pages, or \
            per-CPU memory with --percpu, by kernel stack.

            Allocators are found by themselves: the C library of the process's own mount \
            namespace, jemalloc, tcmalloc, mimalloc, a static program; the head of the report \
            says what was hooked. With --follow and --cgroup, other processes with the same library \
            slow down too. mmap counts in whole pages, less what was unmapped of it. \
            Stacks are walked by the binaries' own unwind tables, whole without frame pointers; \
            JIT-compiled code by frame pointers. What cuts one is said with it.

            Reports come at the end of each interval, with -t at the end of the run alone. COUNT \
            counts intervals, with -t too; SIGUSR1 makes one more report, SIGUSR2 leaves out what \
            is there from then on (--baseline). At the end of an \
            interval new allocators are looked for in every process that is traced, followed \
            ones too.

            Other than bcc's memleak: an allocation that failed is none; realloc keeps the old \
            block when it fails; munmap and mremap of a part leave the rest; malloc of a large \
            block is one allocation, not malloc's and mmap's; -s N takes one in N at random and \
            multiplies; -c loses nothing of the start; stacks never overwrite each other; what \
            could not be recorded is said; the slab allocator's own pages, whose objects count, \
            do not count again; objects the kernel frees in bulk are seen where a function can \
            be hooked.
            """)

    static var modes: [ToolMode] {
        [MemLeakProbes.widest, KernelLeakProbes.widest(percpu: false), KernelLeakProbes.widest(percpu: true)]
    }

    @OptionGroup var arguments: MemLeakArguments
    @OptionGroup var report: ReportOptions

    func run() throws {
        if !arguments.diff.isEmpty { return try LeakDiffRun.run(arguments.diff, arguments, report) }
        if let path = arguments.replay { return try LeakReplay.run(path, arguments, report) }
        // Else the first complaint would be of what can't be read.
        if try Environment.kernel(btf: report.btf) is RunningKernel {
            try Capabilities.own.require(for: Self.name)
        }
        let request = try MemLeakRequest(arguments)
        let files = try LeakFiles(arguments.files)
        let recorder = try arguments.record.map { path throws(Failure) in
            try LeakRecorder(path, limit: Int(arguments.recordSize.value))
        }
        let output = try arguments.output.map { path throws(Failure) in try OutputFile(path, option: "--output") }
        let commandOutput = try output?.becomeStandardOutput()
        let pace = ReportLoop.Pace(
            interval: arguments.interval.value, count: arguments.count?.value, duration: report.duration?.value)
        switch request {
        case .kernel(let plan):
            let names = KernelStackNames(lacking: "the slab allocator's own pages are counted")
            let overhead = try plan.overheadLimit()
            var session = try Session(plan.mode(names.symbols), report)
            var source = try KernelLeakSource.make(plan, names, overhead, files, recorder, session)
            try ReportLoop.run(&source, &session, pace)
            try session.finish()
        case .processes(let plan):
            let found = try FoundAllocators.search(plan)
            var session = try Session(plan.mode(found), report)
            var source = try MemLeakSource(plan, found, files, recorder, commandOutput, session)
            try ReportLoop.run(&source, &session, pace)
            try session.finish()
            try arguments.target.check(source.exitStatus)
            try arguments.checkLeak(source.reporter.reports.view.largestLeak)
        }
    }
}

extension MemLeakArguments {
    /// Annotations of what leaks, where they are asked for.
    var annotations: LeakAnnotations? {
        guard github else { return nil }
        return LeakAnnotations(
            rate: failOnLeak.map { Double($0.value) }, workspace: environmentVariable("GITHUB_WORKSPACE"))
    }

    /// Ends with status 1 where a leak is as large as `--fail-on-leak` says, or larger.
    ///
    /// - Parameter largest: bytes a second; nil: nothing leaks.
    func checkLeak(_ largest: Double?) throws {
        if let rate = failOnLeak?.value, let largest, largest >= Double(rate) { throw ExitCode(1) }
    }
}
