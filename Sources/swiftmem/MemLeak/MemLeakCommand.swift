// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports
internal import Unwind

/// Which stacks allocate memory and do not free it.
struct MemLeak: Tool {
    static let configuration = CommandConfiguration(
        commandName: "memleak",
        abstract:
            "Stacks that allocate memory and do not free it: of processes, a command, a cgroup, the kernel.",
        usage: """
            memleak [<options>] [<interval>] [<count>]
            memleak -p <pid> ... [<options>] [<interval>] [<count>]
            memleak -c <command> [<options>] [<interval>] [<count>] [-- <argument> ...]
            memleak --cgroup <path> [<options>] [<interval>] [<count>]
            """,
        discussion: """
            Without -p, -c and --cgroup it is the kernel's memory: slab objects and pages, or \
            per-CPU memory with --percpu, by kernel stack.

            Allocators are found by themselves: the C library of the process's own mount \
            namespace, jemalloc, tcmalloc, mimalloc, a static program; the head of the report \
            says what was hooked. mmap counts in whole pages, less what was unmapped of it. \
            Stacks are walked by the binaries' own unwind tables, whole without frame pointers; \
            JIT-compiled code by frame pointers. What cuts one is said with it.

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
        // Else the first complaint would be of what can't be read.
        if Environment.kernel(btf: report.btf) is RunningKernel {
            try Capabilities.own.require(for: Self.name)
        }
        guard arguments.namesProcesses else {
            var run = try KernelLeakRun(KernelLeakPlan(arguments), report)
            try run.trace()
            return try run.session.finish()
        }
        let plan = try MemLeakPlan(arguments)
        var run = try MemLeakRun(plan, report)
        let status = try run.trace()
        try run.session.finish()
        if let status, arguments.exitStatus { throw ExitCode(status) }
    }
}

/// bcc's options of memleak, and ours.
struct MemLeakArguments: ParsableArguments {
    @Option(name: [.short, .long], help: "Trace this process; may be given several times.")
    var pid: [TaskID] = []

    @Option(
        help: ArgumentHelp(
            "Walk stacks by frame pointers (fp), by unwind tables (dwarf), or by tables where there are any (auto).",
            valueName: "how"))
    var stack: StackMode = .auto

    @Flag(name: [.customShort("t"), .long], help: "Print each call instead of reports.")
    var trace = false

    @Flag(name: [.customShort("a"), .long], help: "Show each allocation's address and size too.")
    var showAllocs = false

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("Leave out allocations younger than this.", valueName: "ms"))
    var older: Milliseconds = Milliseconds(value: 500)

    @Option(
        name: [.customShort("c"), .long],
        help: "Run and trace this command; its arguments behind it, or after --.")
    var command: String?

    @Flag(help: "End with the command's own exit status.")
    var exitStatus = false

    @Flag(help: "Add up by stack in the kernel: no ages, no -a, least to read.")
    var combinedOnly = false

    @Flag(help: "Accepted for bcc's sake: an address given out again replaces what it was, always.")
    var waMissingFree = false

    @Option(
        name: [.customShort("s"), .long],
        help: ArgumentHelp("Record one allocation in n, at random; sums are estimates.", valueName: "n")
    )
    var sampleRate: SampleRate = SampleRate(value: 1)

    @Option(
        help: ArgumentHelp(
            "Record a process's allocations by their bytes, a sample in so many on average (512K, 1M); sums are estimates.",
            valueName: "bytes"))
    var sampleBytes: ByteDistance?

    @Option(name: [.customShort("T"), .long], help: ArgumentHelp("Stacks to show.", valueName: "n"))
    var top: ReportCount = ReportCount(value: 10)

    @Option(
        name: [.customShort("z"), .long],
        help: ArgumentHelp("Record only allocations of at least this.", valueName: "bytes"))
    var minSize: UInt64?

    @Option(
        name: [.customShort("Z"), .long],
        help: ArgumentHelp("Record only allocations of at most this.", valueName: "bytes"))
    var maxSize: UInt64?

    @Option(
        name: [.customShort("O"), .long],
        help: ArgumentHelp("Look for allocators in this file or library only.", valueName: "object"))
    var obj: String?

    @Flag(help: "The kernel's per-CPU memory, instead of its slab objects and pages.")
    var percpu = false

    @Option(
        help: ArgumentHelp("Of the kernel's memory only this slab cache's objects.", valueName: "name"))
    var cache: String?

    @Option(
        help: ArgumentHelp(
            "Sample the kernel's allocations while the programs take more than this of the CPUs' time.",
            valueName: "percent"))
    var maxOverhead: Percent?

    @Option(help: "Show the largest by size, or by count.")
    var sort: SortKey = .size

    @Option(help: ArgumentHelp("The allocator's functions begin with this.", valueName: "prefix"))
    var symbolsPrefix: String?

    @Flag(
        help: "Trace also what the processes fork. Other processes with the same library slow down too."
    )
    var follow = false

    @Option(
        help: ArgumentHelp(
            "Trace all processes in this cgroup or below, new ones too; others with the same library slow down.",
            valueName: "path"))
    var cgroup: String?

    @Option(
        help: ArgumentHelp(
            "Room for this many outstanding allocations (2 million; 1 million of the kernel, or before Linux 6.1).",
            valueName: "n"))
    var maxAllocations: AllocationLimit?

    @Flag(help: "Name source files and lines, where there is debug information.")
    var lines = false

    @OptionGroup var interval: IntervalArguments

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The command, or its arguments.", valueName: "argument"))
    var rest: [String] = []

    /// Else it is the kernel's memory.
    var namesProcesses: Bool { !pid.isEmpty || command != nil || !rest.isEmpty || cgroup != nil }
}

extension Percent: ExpressibleByArgument {}

/// bcc's words for what reports are sorted by.
enum SortKey: String, CaseIterable, ExpressibleByArgument {
    case size, count

    var order: MemLeakOrder { self == .size ? .size : .count }
}

/// A time in thousandths of a second.
struct Milliseconds: ExpressibleByArgument, Equatable {
    let value: UInt64
    init(value: UInt64) { self.value = value }
    init?(argument: String) {
        guard let value = UInt64(argument), value <= 1_000_000_000 else { return nil }
        self.value = value
    }
    var defaultValueDescription: String { "\(value)" }
}

/// One in so many.
struct SampleRate: ExpressibleByArgument, Equatable {
    let value: UInt64
    init(value: UInt64) { self.value = value }
    init?(argument: String) {
        guard let value = UInt64(argument), value >= 1, value <= 1_000_000_000 else { return nil }
        self.value = value
    }
    var defaultValueDescription: String { "\(value)" }
}

/// Bytes between samples, with K, M or G for powers of 1024.
struct ByteDistance: ExpressibleByArgument, Equatable {
    let value: UInt64
    init?(argument: String) {
        let shift = ["K": 10, "M": 20, "G": 30][argument.suffix(1).uppercased()]
        guard let number = UInt64(shift == nil ? argument[...] : argument.dropLast()), number >= 1,
            number <= (UInt64(1) << 40) >> UInt64(shift ?? 0)
        else { return nil }
        value = number << UInt64(shift ?? 0)
    }
}

/// Entries of a kernel's hash table.
struct AllocationLimit: ExpressibleByArgument, Equatable {
    let value: Int
    init?(argument: String) {
        guard let value = Int(argument), value >= 1, value <= 1 << 28 else { return nil }
        self.value = value
    }
}
