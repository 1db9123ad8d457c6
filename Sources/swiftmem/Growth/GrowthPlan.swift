// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Reports
internal import Symbols
internal import SystemLayer
internal import TraceRecords
internal import Unwind

/// What the arguments of growth come to.
struct GrowthPlan {
    let target: ProcessTarget
    /// What the processes fork is traced too.
    let follow: Bool
    let top: Int
    let stack: StackMode
    let lines: Bool
    let reading: FileReading

    /// - Throws: `Failure` where options contradict each other, or name what is not there.
    init(_ arguments: GrowthArguments) throws(Failure) {
        target = try ProcessTarget(arguments.target, arguments.words, lacking: "memory of its own")
        follow = arguments.target.follow
        top = arguments.top.value
        stack = arguments.stacks.stack
        lines = arguments.stacks.lines
        if follow, target.cgroup != nil {
            throw .usage("--follow goes with -p and -c: a cgroup has all its processes")
        }
        let parsers = ParserPool()
        parsers.prepare()
        reading = FileReading(parsers: parsers)
    }

    /// The programs' read-only data.
    var config: growth_config {
        var config = growth_config()
        config.by_cgroup = target.cgroup == nil ? 0 : 1
        config.follow = follow || target.cgroup != nil ? 1 : 0
        return config
    }

    var filter: filter_config {
        var filter = filter_config()
        if let cgroup = target.cgroup { filter.choose(cgroup) }
        return filter
    }
}
