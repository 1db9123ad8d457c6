// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import TraceRecords
internal import Unwind

/// What memleak attaches to for the allocations of processes.
enum MemLeakProbes {
    /// - Parameters:
    ///   - config: the programs' read-only data, but for what depends on the rungs.
    ///   - maxAllocations: room for outstanding allocations; nil: what the kernel can give.
    ///   - runsCommand: what is traced is a command of the user's.
    ///   - calls: what calls are seen of: the allocators' own, or those of the sampler in the process.
    static func mode(
        config: memleak_config, filter: filter_config, stack: StackMode, maxAllocations: Int?,
        runsCommand: Bool = false, calls: [any Ladder.Type] = [Allocators.self]
    ) -> ToolMode {
        ToolMode(
            of: "memleak", ladders: calls + [Threads.self, Maps.self, Processes.self],
            uses: CapabilityUse.otherUsersProcesses + [attachesLater], runsCommand: runsCommand,
            // uprobes that are perf events are for CAP_SYS_ADMIN alone
            keepsBesides: { $0[Samplers.self] != nil || $0[Allocators.self] == .perf ? [.sysAdmin] : [] }
        ) {
            (object, resolution) throws(BPFError) in
            var config = config
            config.task_storage = resolution[Threads.self] == .taskStorage ? 1 : 0
            try object.setReadOnlyData(".rodata.config", to: config)
            try object.setReadOnlyData(".rodata.filter", to: filter)
            let grows = resolution[Maps.self] == .asNeeded
            try size(object, config, maxAllocations, grows: grows)
            try stack.prepare(object, preallocates: !grows)
            try resolution[Allocators.self]?.prepare(object)
        }
    }

    private static let attachesLater = CapabilityUse(
        capability: .perfmon, without: "nothing can be traced", isKept: true)

    /// The widest run, in little room.
    static var widest: ToolMode {
        var config = memleak_config()
        config.max_size = .max
        config.totals = 1
        config.made = 1
        config.trace = 1
        config.mark_frees = 1
        return mode(
            config: config, filter: filter_config(), stack: .auto, maxAllocations: 1024,
            calls: [Allocators.self, Samplers.self])
    }

    /// Gives the maps their room: as it is needed where the kernel can, else all at once,
    /// and less of it.
    private static func size(
        _ object: borrowing OpenObject, _ config: memleak_config, _ maxAllocations: Int?, grows: Bool
    ) throws(BPFError) {
        try object.map("blocks").setMaxEntries(maxAllocations ?? (grows ? 1 << 21 : 1 << 20))
        if config.totals == 0 && config.made == 0 { try object.map("totals").setMaxEntries(1) }
        // each call is an event where calls are shown; else only mappings and processes are
        if config.trace != 0 { try object.map("events").setMaxEntries(4 << 20) }
        guard !grows else { return }
        try object.map("stacks").setMaxEntries(OutstandingReader.smallStackTable)
        try object.map("threads_by_tid").setMaxEntries(8192)
        // of what was made alone: without it nothing is lost but the share that survives
        if config.totals == 0 && config.made != 0 { try object.map("totals").setMaxEntries(8192) }
        for map in ["blocks", "totals", "stacks", "threads_by_tid", "processes"] {
            try object.map(map).setPreallocated(true)
        }
    }

    enum Allocators: String, Ladder {
        case session, multi, perf
        static let id = "allocators"
        static let sees = "calls of allocators"

        var rung: Rung {
            switch self {
            case .session:
                Rung(
                    .uprobe, on: .from(6, 13, "uprobe sessions", orBackported: true),
                    programs: ["call_enter_multi", "call_session"], requires: [.feature(.uprobeSession)])
            case .multi:
                Rung(
                    .uprobe, on: .from(6, 10, "multi-uprobes see all threads of a process", orBackported: true),
                    programs: ["call_enter_multi", "call_return_multi"], requires: [.feature(.multiUprobe)])
            case .perf:
                Rung(
                    .uprobe, on: .all,
                    programs: ["call_uretprobe"] + Set(AllocatorProbes.perfPrograms.map(\.program)).sorted())
            }
        }

        /// Makes the programs loadable for it; to be called before the load.
        func prepare(_ object: borrowing OpenObject) throws(BPFError) {
            switch self {
            case .session:
                try object.program("call_enter_multi").prepare(for: .entry)
                try object.program("call_session").prepare(for: .session)
            case .multi:
                try object.program("call_enter_multi").prepare(for: .entry)
                try object.program("call_return_multi").prepare(for: .onReturn)
            case .perf: break
            }
        }
    }

    /// In place of `Allocators`, where a sampler in the process chooses the calls.
    enum Samplers: String, Ladder {
        case uprobe
        static let id = "samplers"
        static let sees = "what a sampler in the process chooses"

        var rung: Rung { Rung(.uprobe, on: .all, programs: AllocatorProbes.sampledPrograms.map(\.program)) }
    }

    enum Threads: String, Ladder {
        case taskStorage = "task_storage"
        case byID = "by_id"
        static let id = "threads"
        static let sees = "what threads are in the middle of"

        var rung: Rung {
            switch self {
            case .taskStorage:
                Rung(
                    .map, on: .from(5, 11, "maps of task storage", orBackported: true),
                    requires: [.feature(.taskStorage)], maps: ["threads"])
            case .byID: Rung(.map, on: .all, maps: ["threads_by_tid"])
            }
        }
    }

    enum Maps: String, Ladder {
        case asNeeded = "as_needed"
        case atOnce = "at_once"
        static let id = "maps"
        static let sees = "room in the kernel"

        var rung: Rung {
            switch self {
            case .asNeeded:
                // struct bpf_mem_alloc: maps of tracing programs may allocate without a warning
                Rung(
                    .map, on: .from(6, 1, "bpf_mem_alloc", orBackported: true),
                    requires: [.hasStruct("bpf_mem_alloc")])
            case .atOnce: Rung(.map, on: .all, cannotSee: "more than a million allocations, by default")
            }
        }
    }

    enum Processes: String, Ladder {
        case tracepoint
        static let id = "processes"
        static let sees = "processes that begin, call exec and end"

        var rung: Rung {
            Rung(.tracepoint, on: .all, programs: ["process_fork_rawtp", "process_exec_rawtp", "process_exit_rawtp"])
        }
    }
}
