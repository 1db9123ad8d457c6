// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Reports
internal import Symbols
internal import SystemLayer
internal import TraceRecords
internal import Unwind

/// What the arguments of growth come to.
struct GrowthPlan {
    enum Target {
        case processes([UInt32])
        case command([String])
        case cgroup(CgroupTarget)
    }

    let target: Target
    /// What the processes fork is traced too.
    let follow: Bool
    let top: Int
    let stack: StackMode
    let lines: Bool
    let reading = FileReading(parsers: ParserPool())

    /// - Throws: `Failure` where options contradict each other, or name what is not there.
    init(_ arguments: GrowthArguments) throws(Failure) {
        target = try Self.target(arguments)
        follow = arguments.follow
        top = arguments.top.value
        stack = arguments.stack
        lines = arguments.lines
        if arguments.follow, arguments.cgroup != nil {
            throw .usage("--follow goes with -p and -c: a cgroup has all its processes")
        }
    }

    private static func target(_ arguments: GrowthArguments) throws(Failure) -> Target {
        let words = arguments.words
        let kinds = [!arguments.pid.isEmpty, !words.isEmpty, arguments.cgroup != nil]
        guard kinds.count(where: { $0 }) == 1 else { throw .usage("one of -p, -c and --cgroup") }
        if let name = arguments.cgroup { return .cgroup(try CgroupTarget(name)) }
        if !words.isEmpty { return .command(words) }
        var pids: [UInt32] = []
        for pid in arguments.pid where !pids.contains(pid.value) {
            try requireMemory(pid.value)
            pids.append(pid.value)
        }
        return .processes(pids)
    }

    /// - Throws: `Failure` where no process has this id, or none that has memory of its own.
    private static func requireMemory(_ pid: UInt32) throws(Failure) {
        guard let status = ProcessFiles(pid).status else { throw .badValue("no process has the id \(pid)") }
        if let owner = status.words("Tgid")?.first.flatMap({ UInt32($0) }), owner != pid {
            throw .badValue("\(pid) is a thread of process \(owner): use -p \(owner)")
        }
        if status.words("State")?.first == "Z" { throw .badValue("process \(pid) has ended (it is a zombie)") }
        if status.words("VmSize") == nil { throw .badValue("\(pid) is a kernel thread: it has no memory of its own") }
    }

    /// More than one process may show up in a report.
    var hasSeveralProcesses: Bool {
        switch target {
        case .processes(let pids): pids.count > 1 || follow
        case .command: follow
        case .cgroup: true
        }
    }

    var runsCommand: Bool {
        if case .command = target { true } else { false }
    }

    /// The programs' read-only data.
    var config: growth_config {
        var config = growth_config()
        switch target {
        case .cgroup: (config.by_cgroup, config.follow) = (1, 1)
        case .processes, .command: config.follow = follow ? 1 : 0
        }
        return config
    }

    var filter: filter_config {
        var filter = filter_config()
        if case .cgroup(let cgroup) = target { filter.choose(cgroup) }
        return filter
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
