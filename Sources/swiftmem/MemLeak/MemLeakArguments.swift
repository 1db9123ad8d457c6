// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Reports

/// bcc's options of memleak, and ours. MemLeakRequest checks what goes together.
struct MemLeakArguments: ParsableArguments {
    @OptionGroup var target: TargetOptions

    @OptionGroup var stacks: StackOptions

    @Flag(name: [.customShort("t"), .long], help: "Print each call; one report, at the end.")
    var trace = false

    @Flag(name: [.customShort("a"), .long], help: "Show each allocation's address and size too.")
    var showAllocs = false

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("Leave out allocations younger than this.", valueName: "ms"))
    var older: Milliseconds = Milliseconds(value: 500)

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

    @Flag(
        help:
            "By the sampler in the process, which costs least: -c loads it into the command, -p ends where there is none."
    )
    var sampled = false

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
        help: ArgumentHelp("Look for allocators in this file or library only.", valueName: "object"),
        completion: .file())
    var obj: String?

    @Flag(help: "The kernel's per-CPU memory, instead of its slab objects and pages.")
    var percpu = false

    @Option(
        help: ArgumentHelp("Of the kernel's memory only this slab cache's objects.", valueName: "name"),
        completion: .slabCache)
    var cache: String?

    @Option(
        help: ArgumentHelp(
            "Sample the kernel's allocations while the programs take more than this of the CPUs' time.",
            valueName: "percent"))
    var maxOverhead: Percent?

    @Option(help: "What comes first: what leaks and grows, or the largest by size, by count, by growth, by age.")
    var sort: SortKey = .verdict

    @Option(
        help: ArgumentHelp(
            "What has grown steadily for so long, and was not freed, is called a leak.", valueName: "seconds"))
    var leakAfter = Seconds(45)

    @Option(
        defaultAsFlag: LeakRate(value: 0),
        help: ArgumentHelp(
            "End with status 1 where a stack leaks at the end, this many bytes a second or more (--fail-on-leak=1K).",
            valueName: "rate"))
    var failOnLeak: LeakRate? = nil

    @Flag(help: "Name what leaks at the end in annotations of GitHub's, on standard error; --lines gives them a place.")
    var github = false

    @Option(
        help: ArgumentHelp("Leave out stacks that LeakSanitizer's suppressions of this file fit.", valueName: "file"),
        completion: .file())
    var suppressions: String?

    @Option(
        help: ArgumentHelp(
            "Write the last report to a file as folded stacks, for flame graph tools.", valueName: "file"),
        completion: .file())
    var folded: String?

    @Option(help: ArgumentHelp("… as a flame graph, an SVG for browsers.", valueName: "file"), completion: .file())
    var flamegraph: String?

    @Option(help: ArgumentHelp("… for pprof, compressed.", valueName: "file"), completion: .file())
    var pprof: String?

    @Option(help: ArgumentHelp("… for speedscope.", valueName: "file"), completion: .file())
    var speedscope: String?

    @Option(
        help: ArgumentHelp("… as DHAT's, for dh_view and the Firefox Profiler.", valueName: "file"), completion: .file()
    )
    var dhat: String?

    @Option(
        help: ArgumentHelp("Reports go to this file, apart from what a command prints.", valueName: "file"),
        completion: .file())
    var output: String?

    @Option(
        help: ArgumentHelp(
            "Record the run in a file, for --replay and --diff, here or on another machine.", valueName: "file"),
        completion: .file())
    var record: String?

    @Option(help: ArgumentHelp("The recording ends when its file has so many bytes.", valueName: "bytes"))
    var recordSize: FileSize = FileSize(value: 256 << 20)

    @Option(
        help: ArgumentHelp(
            "Trace nothing: show what was recorded, in any order, by any merging, in any format.", valueName: "file"),
        completion: .file())
    var replay: String?

    @Option(
        help: ArgumentHelp(
            "Leave out what is there so many seconds after the start; SIGUSR2: what is there then.", valueName: "s"))
    var baseline: Seconds?

    @Flag(help: "Show the stacks of the highest moment too, at the end; files for other tools are of that moment.")
    var peak = false

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Trace nothing: compare the last reports of two recordings.", valueName: "before> <after"),
        completion: .file())
    var diff: [String] = []

    /// The files to write, by format.
    var files: [(format: LeakFormat, path: String?)] {
        [(.folded, folded), (.flamegraph, flamegraph), (.pprof, pprof), (.speedscope, speedscope), (.dhat, dhat)]
    }

    @Option(help: "Stacks are one that go through the same functions, or through the same addresses.")
    var by: StackMerging = .function

    @Option(help: ArgumentHelp("The allocator's functions begin with this.", valueName: "prefix"))
    var symbolsPrefix: String?

    @Option(
        help: ArgumentHelp(
            "Room for this many outstanding allocations (2 million; 1 million of the kernel, or before Linux 6.1).",
            valueName: "n"))
    var maxAllocations: AllocationLimit?

    @Argument(help: "Seconds between reports.")
    var interval = Seconds(5)

    @Argument(help: "Intervals to the end, with -t too (default: until Ctrl-C).")
    var count: ReportCount?

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The command, or its arguments.", valueName: "argument"))
    var rest: [String] = []

    /// The command and its arguments; empty where none is given.
    var words: [String] { target.words(rest) }

    /// Else it is the kernel's memory.
    var namesProcesses: Bool { !target.pid.isEmpty || target.command != nil || !rest.isEmpty || target.cgroup != nil }
}
