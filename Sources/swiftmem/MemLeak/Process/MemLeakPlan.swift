// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer
internal import SystemPackage
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Reports

/// What the arguments of memleak come to.
struct MemLeakPlan {
    enum Target {
        case processes([UInt32])
        case command([String])
        case cgroup(CgroupTarget)
    }

    let target: Target
    let arguments: MemLeakArguments
    let search: AllocatorSearch
    let filter: filter_config

    /// Probes fire wherever an allocator's file is mapped, not in chosen processes only.
    var isWide: Bool {
        if case .cgroup = target { return true }
        return arguments.follow
    }

    /// More than one process may show up in a report.
    var hasSeveralProcesses: Bool {
        if case .processes(let pids) = target, pids.count > 1 { return true }
        return isWide
    }

    init(_ arguments: MemLeakArguments) throws(Failure) {
        self.arguments = arguments
        for (isGiven, option) in [
            (arguments.percpu, "--percpu"), (arguments.cache != nil, "--cache"),
            (arguments.maxOverhead != nil, "--max-overhead"),
        ] where isGiven {
            throw .usage("\(option) is of the kernel: without -p, -c and --cgroup")
        }
        if let low = arguments.minSize, let high = arguments.maxSize, low > high {
            throw .usage("min_size (-z) can't be greater than max_size (-Z)")
        }
        if arguments.sampleBytes != nil && (arguments.combinedOnly || arguments.sampleRate.value > 1) {
            throw .usage("--sample-bytes goes with neither -s nor --combined-only")
        }
        if arguments.combinedOnly && arguments.showAllocs {
            throw .usage("--combined-only keeps no single allocations for -a to show")
        }
        var filter = filter_config()
        target = try Self.target(arguments)
        if case .cgroup(let cgroup) = target { filter.choose(cgroup) }
        self.filter = filter
        search = AllocatorSearch(object: arguments.obj, prefix: arguments.symbolsPrefix)
        if arguments.exitStatus, case .command = target {
        } else if arguments.exitStatus {
            throw .usage("--exit-status is of a command (-c)")
        }
    }

    private static func target(_ arguments: MemLeakArguments) throws(Failure) -> Target {
        let command =
            (arguments.command.map { $0.split(separator: " ").map(String.init) } ?? []) + arguments.rest
        let kinds = [!arguments.pid.isEmpty, !command.isEmpty, arguments.cgroup != nil].filter { $0 }
            .count
        guard kinds <= 1 else { throw .usage("one of -p, -c and --cgroup at a time") }
        if arguments.command != nil && command.isEmpty { throw .usage("-c: which command?") }
        if let name = arguments.cgroup { return .cgroup(try CgroupTarget(name)) }
        if !command.isEmpty { return .command(command) }
        var pids: [UInt32] = []
        for pid in arguments.pid where !pids.contains(pid.value) {
            try requireProcess(pid.value)
            pids.append(pid.value)
        }
        return .processes(pids)
    }

    /// - Throws: `Failure` when there is no process of this id that has memory of its own.
    private static func requireProcess(_ pid: UInt32) throws(Failure) {
        guard let status = ProcessFiles(pid).status else { throw .usage("no process has the id \(pid)") }
        if let owner = status.words("Tgid")?.first.flatMap({ UInt32($0) }), owner != pid {
            throw .usage("\(pid) is a thread of process \(owner): use -p \(owner)")
        }
        if status.words("State")?.first == "Z" { throw .usage("process \(pid) has ended (it is a zombie)") }
        if status.words("VmSize") == nil { throw .usage("\(pid) is a kernel thread: it has no allocator") }
    }

    /// What a recorded allocation stands for.
    var sampleWeight: SampleWeight {
        arguments.sampleBytes.map { .distance(Double($0.value)) } ?? .oneIn(arguments.sampleRate.value)
    }

    /// Gives the programs the distances between samples: the quantiles of the exponential
    /// distribution, scaled so that their mean is exact.
    func fillSampleGaps(_ object: borrowing LoadedObject) throws(BPFError) {
        guard let mean = arguments.sampleBytes?.value else { return }
        let gaps: BPFMap<UInt32, UInt64> = try object.map("sample_gaps")
        let count = Int(SAMPLE_GAPS)
        let quantiles = (0..<count).map { -log1p(-(Double($0) + 0.5) / Double(count)) }
        let scale = Double(mean) * Double(count) / quantiles.reduce(0, +)
        for (index, quantile) in quantiles.enumerated() {
            try gaps.set(UInt32(index), to: max(1, UInt64((quantile * scale).rounded())))
        }
    }

    /// The programs' read-only data, but for what depends on the rungs.
    func config(marksFrees: Bool) -> memleak_config {
        var config = memleak_config()
        config.min_size = arguments.minSize ?? 0
        config.max_size = arguments.maxSize ?? .max
        let rate = arguments.sampleRate.value
        config.sample_threshold = rate > 1 ? UInt32(clamping: max(1, (UInt64(1) << 32) / rate)) : 0
        if case .cgroup = target { config.by_cgroup = 1 } else { config.chosen_only = isWide ? 1 : 0 }
        config.follow = arguments.follow ? 1 : 0
        config.totals = arguments.combinedOnly ? 1 : 0
        config.trace = arguments.trace ? 1 : 0
        config.mark_frees = marksFrees ? 1 : 0
        config.sample_bytes = arguments.sampleBytes == nil ? 0 : 1
        // for Scripts/bench-memleak: what the probes cost by themselves
        config.empty = Environment.recordsNothing ? 1 : 0
        return config
    }

    /// For the head of the report.
    var targetText: String {
        switch target {
        case .processes(let pids): pids.map { "pid \($0)" }.joined(separator: ", ")
        case .command(let words): Printable.text(words.joined(separator: " "))
        case .cgroup(let cgroup): "cgroup \(Printable.text(cgroup.directory))"
        }
    }
}

extension CgroupTarget {
    /// The processes in it and below, now.
    func processes() -> [UInt32] { Self.processes(below: FilePath(directory), depth: 0) }

    private static func processes(below directory: FilePath, depth: Int) -> [UInt32] {
        var pids = (readText(directory.appending("cgroup.procs")) ?? "").split(separator: "\n").compactMap {
            UInt32($0)
        }
        guard depth < 32, var entries = Directory(directory) else { return pids }
        while let entry = entries.next() {
            guard entry.isDirectory else { continue }
            pids += processes(below: directory.appending(entry.name), depth: depth + 1)
        }
        return pids
    }
}
