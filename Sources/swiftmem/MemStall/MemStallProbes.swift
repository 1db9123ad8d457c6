// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Symbols
internal import TraceRecords
internal import Unwind

extension MemStall {
    static var modes: [ToolMode] { [mode(), mode(stacks: true)] }

    /// - Parameters:
    ///   - trace: each stall is sent as it ends.
    ///   - leastNanoseconds: of a stall that is sent.
    ///   - reclaim: what the kernel's own threads and its shrinkers do is seen too.
    ///   - evicted: whose pages are evicted, and by whom, is seen too.
    ///   - stacks: those that stalls begin with are kept: by programs of their own object, which do so.
    static func mode(
        filter: filter_config = filter_config(), trace: Bool = false, leastNanoseconds: UInt64 = 0,
        reclaim: Bool = true, evicted: Bool = true, stacks: Bool = false
    ) -> ToolMode {
        var ladders: [any Ladder.Type] = [
            Reclaim.self, CgroupReclaim.self, Compaction.self, Switches.self, Sections.self, Writers.self,
            OutOfMemory.self, Weights.self,
        ]
        if reclaim { ladders += [KernelCompaction.self, Shrinkers.self] as [any Ladder.Type] }
        if evicted { ladders.append(Evictions.self) }
        if stacks { ladders.append(UserStacks.self) }
        return ToolMode(
            stacks ? "stack" : nil, of: "memstall", object: stacks ? "memstallstacks" : nil, ladders: ladders,
            uses: stacks ? [CapabilityUse.kernelNames] + CapabilityUse.otherUsersProcesses : []
        ) { (object, resolution) throws(BPFError) in
            var config = memstall_config()
            config.trace = trace ? 1 : 0
            config.no_psi = MemStallReader.pressure() == nil ? 1 : 0
            config.min_ns = trace ? leastNanoseconds : 0
            let ranges = MemStallPlaces.ranges(try? KernelSymbols())
            config.ranges = UInt32(ranges.count)
            withUnsafeMutableBytes(of: &config.functions) { bytes in
                // SAFETY: as many elements as the array has; no more ranges are given.
                let rows = bytes.bindMemory(to: memstall_range.self)
                for (index, range) in zip(rows.indices, ranges) { rows[index] = range }
            }
            try object.setReadOnlyData(".rodata.config", to: config)
            try object.setReadOnlyData(".rodata.filter", to: filter)
            guard stacks else { return }
            // before, the verifier lets no global function be called with preemption off
            try object.setReadOnlyData(
                ".rodata.keeps_cpu", to: KernelVersion.running >= KernelVersion(6, 15) ? UInt32(1) : 0)
            try stackMode(resolution).prepare(object, preallocates: true)
            // what programs on sched_switch put something into
            try object.map("stacks").setPreallocated(true)
            try object.map("stacks").setMaxEntries(stacksKept)
            try object.map("unwind_pages").setMaxEntries(4096)
            try object.map("rows").setMaxEntries(Int(MEMSTALL_STACK_ROWS))
        }
    }

    /// Different stacks between two reports.
    private static let stacksKept = 16384

    /// How user stacks are walked here.
    static func stackMode(_ resolution: Resolution) -> StackMode {
        switch resolution[UserStacks.self] {
        case .tables: .auto
        case .framePointers, nil: .fp
        }
    }

    enum UserStacks: String, Ladder {
        case tables
        case framePointers = "frame_pointers"
        static let id = "user_stacks"
        static let sees = "with --stack, tasks' own stacks through code without frame pointers"
        static let without: String? =
            "tasks' own stacks are walked by frame pointers, and names may be an earlier program's"

        var rung: Rung {
            switch self {
            case .tables:
                Rung(
                    .tracepoint, on: .from(5, 15, "bpf_task_pt_regs()"), programs: Self.programs)
            case .framePointers:
                Rung(
                    .tracepoint, on: .all, programs: Self.programs,
                    cannotSee: "callers of code without frame pointers")
            }
        }

        private static let programs = ["stack_exec_btf", "stack_exit_btf"]
    }

    private static let namesCgroup = Requirement.tracepointArgument(
        "mm_vmscan_memcg_reclaim_begin", 2, "mem_cgroup *")
    private static let orderFirst = Requirement.tracepointArgument("mm_vmscan_memcg_reclaim_begin", 0, "int")

    enum Reclaim: String, Ladder {
        case tracepointGFP = "tracepoint_gfp"
        case tracepoint
        static let id = "reclaim"
        static let sees = "reclaim by who allocates, for the machine as a whole"

        var rung: Rung {
            switch self {
            case .tracepointGFP:
                Rung(
                    .tracepoint, on: .from(7, 2, "the mask comes first", orBackported: true),
                    programs: ["direct_gfp_btf", "direct_end_btf"],
                    requires: [MemStall.namesCgroup])
            case .tracepoint:
                Rung(
                    .tracepoint, on: .through(7, 1, "then the mask comes first"),
                    programs: ["direct_begin_btf", "direct_end_btf"],
                    requires: [MemStall.orderFirst])
            }
        }
    }

    enum CgroupReclaim: String, Ladder {
        case tracepointNamed = "tracepoint_named"
        case fentry, kprobe, tracepoint
        static let id = "cgroup_reclaim"
        static let sees = "reclaim at a cgroup's limit"
        static let without: String? = "this kernel has no memory cgroups"

        var rung: Rung {
            switch self {
            case .tracepointNamed:
                Rung(
                    .tracepoint, on: .from(7, 2, "it names the cgroup", orBackported: true),
                    programs: ["memcg_named_btf", "memcg_end_btf"], requires: [MemStall.namesCgroup])
            case .fentry: Rung(.fentry, on: .all, programs: ["memcg_named_fentry", "memcg_end_btf"])
            case .kprobe: Rung(.kprobe, on: .all, programs: ["memcg_named_kprobe", "memcg_end_btf"])
            case .tracepoint:
                Rung(
                    .tracepoint, on: .through(7, 1, "then the mask comes first"),
                    programs: ["memcg_begin_btf", "memcg_end_btf"], requires: [MemStall.orderFirst],
                    cannotSee: """
                        whose limit it is, but by usage and limit of the task's cgroup and those above it, \
                        which another CPU may have changed meanwhile
                        """)
            }
        }
    }

    enum Compaction: String, Ladder {
        case tracepoint
        static let id = "compaction"
        static let sees = "compaction for large pages"
        static let without: String? = "compaction is not told from reclaim"

        var rung: Rung {
            switch self {
            case .tracepoint:
                Rung(.tracepoint, on: .all, programs: ["compaction_begin_btf", "compaction_end_btf"])
            }
        }
    }

    enum Switches: String, Ladder {
        case tracepoint
        static let id = "waits"
        static let sees = "waits off the CPU, and kswapd's work, which ends with a sleep"
        static let without: String? =
            "waits for pages, memory.high's sleep, kswapd's work and time off the CPU are not seen"

        var rung: Rung {
            switch self {
            case .tracepoint:
                Rung(
                    .tracepoint, on: .all, programs: ["switch_btf", "exit_btf", "kswapd_wake_btf"],
                    requires: [
                        .hasStruct("psi_group_cpu"),
                        // 5.18 alone has another order
                        .tracepointArgument("sched_switch", 1, "task_struct *"),
                    ])
            }
        }
    }

    enum Sections: String, Ladder {
        case fentry, kprobe
        static let id = "sections"
        static let sees = "PSI's own sections, to the nanosecond"
        static let without: String? = """
            what PSI counts on the CPU outside of reclaim and compaction: pages read from zram or zswap, reads \
            that are only submitted
            """

        var rung: Rung {
            switch self {
            case .fentry: Rung(.fentry, on: .all, programs: ["section_begin_fentry", "section_end_fentry"])
            case .kprobe: Rung(.kprobe, on: .all, programs: ["section_begin_kprobe", "section_end_kprobe"])
            }
        }
    }

    enum Writers: String, Ladder {
        case tracepoint
        case tracepointLimits = "tracepoint_limits"
        static let id = "writers"
        static let sees = "writers that are made to wait for the disk"
        static let without: String? = "dirty_throttle is not seen"

        var rung: Rung {
            switch self {
            case .tracepoint:
                Rung(
                    .tracepoint, on: .from(6, 15, "the limits are one argument", orBackported: true),
                    programs: ["dirty_sleep_btf"],
                    requires: [.tracepointArgument("balance_dirty_pages", 1, "dirty_throttle_control *")],
                    reliesOn: Self.endsWithTheSleep)
            case .tracepointLimits:
                Rung(
                    .tracepoint, on: .through(6, 14, "then the limits are one argument"),
                    programs: ["dirty_limits_btf"],
                    requires: [.tracepointArgument("balance_dirty_pages", 10, "long int")],
                    reliesOn: Self.endsWithTheSleep)
            }
        }

        private static let endsWithTheSleep = [Reliance(on: Switches.tracepoint, what: "the end of a writer's sleep")]
    }

    enum KernelCompaction: String, Ladder {
        case tracepoint
        static let id = "kcompactd"
        static let sees = "with --reclaim, what kcompactd does by node"
        static let without: String? = "kcompactd's work is not told by node"

        var rung: Rung {
            switch self {
            case .tracepoint:
                Rung(.tracepoint, on: .all, programs: ["kcompactd_wake_btf", "kcompactd_sleep_btf"])
            }
        }
    }

    enum Shrinkers: String, Ladder {
        case tracepoint
        static let id = "shrinkers"
        static let sees = "with --reclaim, the caches that reclaim shrinks"
        static let without: String? = "shrinkers are not seen"

        var rung: Rung {
            switch self {
            case .tracepoint:
                Rung(.tracepoint, on: .all, programs: ["shrink_begin_btf", "shrink_end_btf"])
            }
        }
    }

    enum Evictions: String, Ladder {
        case lists
        case events
        case fentry, kprobe
        static let id = "evictions"
        static let sees = "with --evicted, whose pages are evicted, and by whom"
        static let without: String? = "whose pages are evicted is not seen"

        var rung: Rung {
            switch self {
            case .lists:
                Rung(
                    .tracepoint, on: .from(7, 1, "a cgroup counts what reclaim takes by list"),
                    programs: ["evicted_state_btf"],
                    requires: [.tracepointArgument("mod_memcg_lruvec_state", 0, "mem_cgroup *")])
            case .events:
                Rung(
                    .tracepoint,
                    on: .from(6, 13, "tracepoint count_memcg_events", orBackported: true)
                        .through(7, 0, "then what reclaim takes is no such event"),
                    programs: ["evicted_owner_btf", "evicted_kind_btf"], requires: [MemcgEvents.required])
            case .fentry: Self.functions(.fentry, "evicted_folio_fentry")
            case .kprobe: Self.functions(.kprobe, "evicted_folio_kprobe")
            }
        }

        private static func functions(_ mechanism: Mechanism, _ program: String) -> Rung {
            Rung(
                mechanism, on: .through(7, 0, "then a folio's owner is told otherwise"), programs: [program],
                cannotSee: "anonymous pages that were given up by MADV_FREE, which reclaim counts")
        }
    }

    enum Weights: String, Ladder {
        case tracepoint
        static let id = "weights"
        static let sees = "how long each cgroup was not idle, which PSI weighs its stalls by"
        static let without: String? = "what the stalls explain of a cgroup's PSI is not known"

        var rung: Rung {
            switch self {
            case .tracepoint:
                Rung(.tracepoint, on: .all, programs: ["weigh_rawtp"], requires: [.hasStruct("psi_group_cpu")])
            }
        }
    }

    enum OutOfMemory: String, Ladder {
        case fentry, kprobe
        static let id = "oom"
        static let sees = "the time in the OOM killer"
        static let without: String? = "oom is not seen"

        var rung: Rung {
            switch self {
            case .fentry: Rung(.fentry, on: .all, programs: ["oom_begin_fentry", "oom_end_fexit"])
            case .kprobe: Rung(.kprobe, on: .all, programs: ["oom_begin_kprobe", "oom_end_kretprobe"])
            }
        }
    }
}
