// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import TraceRecords

/// What memleak attaches to for the kernel's own allocations.
enum KernelLeakProbes {
    /// Entries of the maps, whose room is taken at the start; nil: as the object has it.
    struct Room {
        var blocks: Int
        var totals: Int?
        var stacks: Int?
        var events: Int?
    }

    /// Slab objects and pages, or per-CPU memory.
    ///
    /// - Parameter config: the programs' read-only data, knowing the rungs.
    static func mode(
        percpu: Bool, room: Room, config: @escaping (Resolution) -> kernelleak_config
    ) -> ToolMode {
        let ladders: [any Ladder.Type] = percpu ? [PerCPU.self] : [Slab.self, Pages.self, Bulk.self, RCU.self]
        return ToolMode(
            percpu ? "percpu" : "kernel", of: "memleak", object: "kernelleak", ladders: ladders,
            uses: [.kernelNames]
        ) {
            (object, resolution) throws(BPFError) in
            try object.setReadOnlyData(".rodata.config", to: config(resolution))
            try object.map("blocks").setMaxEntries(room.blocks)
            for (map, entries) in [("totals", room.totals), ("stacks", room.stacks), ("events", room.events)] {
                if let entries { try object.map(map).setMaxEntries(entries) }
            }
        }
    }

    /// The widest run, in little room.
    static func widest(percpu: Bool) -> ToolMode {
        mode(percpu: percpu, room: Room(blocks: 1024, totals: 64, stacks: 64, events: 4096)) { _ in
            var config = kernelleak_config()
            config.max_size = .max
            config.cpus = 1
            config.totals = 1
            config.trace = 1
            config.sampled = 1
            config.by_cache = 1
            config.unseen_frees = 1
            config.vmemmap_base = 1
            config.page_offset_base = 1
            // It sees what others do for a moment, and must not touch what it does not know.
            config.cache.0 = 1
            return config
        }
    }

    /// The second program on a free sees those that interrupt the first.
    private static let backups = [
        "kfree_rawtp": "kfree_second_rawtp", "cache_free_rawtp": "cache_free_second_rawtp",
        "page_free_rawtp": "page_free_second_rawtp",
        "percpu_free_rawtp": "percpu_free_second_rawtp",
    ]
    private static let slabFrees = ["kfree_rawtp", "kfree_second_rawtp", "cache_free_rawtp", "cache_free_second_rawtp"]
    private static let percpuFrees = ["percpu_free_rawtp", "percpu_free_second_rawtp"]

    enum Slab: String, Ladder {
        case typed, tracepoint
        case tracepointSizes = "tracepoint_sizes"
        static let id = "slab"
        static let sees = "slab objects"

        var rung: Rung {
            switch self {
            case .typed:
                Rung(
                    .tracepoint, on: .from(6, 13, "bpf_get_kmem_cache()", orBackported: true),
                    programs: ["kmalloc_btf", "cache_alloc_rawtp"] + slabFrees,
                    requires: [.functionArgument("bpf_get_kmem_cache", 0, "u64")] + Self.named, backups: backups)
            case .tracepoint:
                Rung(
                    .tracepoint, on: .from(6, 1, "kmem_cache_alloc passes the cache", orBackported: true),
                    programs: ["kmalloc_rawtp", "cache_alloc_rawtp"] + slabFrees, requires: Self.named,
                    backups: backups,
                    cannotSee: "the cache of kmalloc's objects where the kernel hides its variables")
            case .tracepointSizes:
                Rung(
                    .tracepoint, on: .through(5, 18, "then kmem_cache_alloc passes the cache"),
                    programs: [
                        "kmalloc_rawtp", "kmalloc_node_rawtp", "cache_alloc_sizes_rawtp", "cache_alloc_node_rawtp",
                    ]
                        + slabFrees,
                    requires: [.tracepointArgument("kmem_cache_alloc", 2, "size_t")], backups: backups,
                    cannotSee: "the cache of objects where the kernel hides its variables")
            }
        }

        /// Is the cache of an object found through the kernel's variables?
        var looksUpCaches: Bool {
            switch self {
            case .typed: false
            case .tracepoint, .tracepointSizes: true
            }
        }

        private static let named: [Requirement] = [
            .tracepointArgument("kmalloc", 2, "size_t"), .tracepointArgument("kmem_cache_alloc", 2, "kmem_cache *"),
        ]
    }

    enum Pages: String, Ladder {
        case tracepoint
        static let id = "pages"
        static let sees = "pages"

        var rung: Rung {
            Rung(
                .tracepoint, on: .all, programs: ["page_alloc_rawtp", "page_free_rawtp", "page_free_second_rawtp"],
                backups: backups, cannotSee: "pages taken many at once (vmalloc)")
        }
    }

    enum Bulk: String, Ladder {
        case fentry, kprobe
        static let id = "bulk"
        static let sees = "objects freed many at once"
        static let without: String? =
            "objects freed in bulk stay in the report until their address is given out again: false leaks possible"

        var rung: Rung {
            switch self {
            case .fentry: Rung(.fentry, on: .all, programs: ["free_bulk_fentry"])
            case .kprobe: Rung(.kprobe, on: .all, programs: ["free_bulk_kprobe"])
            }
        }
    }

    enum RCU: String, Ladder {
        /// They are freed in bulk.
        case bulk
        case fentry, kprobe
        static let id = "rcu"
        static let sees = "objects freed by kfree_rcu()"
        static let without: String? = """
            objects freed by kfree_rcu() stay in the report until their address is given out again: \
            false leaks possible
            """

        var rung: Rung {
            switch self {
            case .bulk:
                Rung(
                    .indirect, on: .through(6, 17, "then sheaves take what kfree_rcu() frees"),
                    requires: [.lacksStruct("slab_sheaf")],
                    reliesOn: [Reliance(onAny: Bulk.allCases, what: "what is freed in bulk")])
            case .fentry: Rung(.fentry, on: Self.sheaves, programs: ["free_rcu_fentry"])
            case .kprobe: Rung(.kprobe, on: Self.sheaves, programs: ["free_rcu_kprobe"])
            }
        }

        private static let sheaves = KernelRange.from(
            6, 18, "sheaves take what kfree_rcu() frees", orBackported: true)
    }

    enum PerCPU: String, Ladder {
        case tracepoint
        case tracepointSizes = "tracepoint_sizes"
        static let id = "percpu"
        static let sees = "per-CPU allocations"

        var rung: Rung {
            switch self {
            case .tracepoint:
                Rung(
                    .tracepoint, on: .from(5, 19, "percpu_alloc_percpu passes its caller", orBackported: true),
                    programs: ["percpu_alloc_rawtp"] + percpuFrees,
                    requires: [.tracepointArgument("percpu_alloc_percpu", 0, "long unsigned int")], backups: backups)
            case .tracepointSizes:
                Rung(
                    .tracepoint, on: .through(5, 18, "then percpu_alloc_percpu passes its caller first"),
                    programs: ["percpu_alloc_sizes_rawtp"] + percpuFrees,
                    requires: [.tracepointArgument("percpu_alloc_percpu", 2, "size_t")], backups: backups)
            }
        }
    }
}
