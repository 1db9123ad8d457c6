// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer
internal import SystemPackage
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports
internal import Symbols

/// What the arguments of memleak come to where they name no process.
struct KernelLeakPlan {
    let settings: MemLeakSettings
    /// Per-CPU memory, instead of slab objects and pages.
    let percpu: Bool
    /// Only this slab cache's objects; its name fits a kernel's.
    let cache: String?
    /// The programs' largest share of the CPUs' time, in hundredths; nil: no limit.
    let maxOverhead: Double?

    /// Room for outstanding allocations: all of it is taken at the start.
    static let room = 1 << 20

    /// The programs' read-only data.
    func config(_ resolution: Resolution, _ symbols: KernelSymbols?) -> kernelleak_config {
        var config = kernelleak_config()
        config.min_size = settings.sizes.lowerBound
        config.max_size = settings.sizes.upperBound
        config.own_pid = UInt32(getpid())
        config.cpus = UInt32(possibleCPUs)
        config.totals = settings.combinedOnly ? 1 : 0
        config.trace = settings.trace ? 1 : 0
        config.sampled = settings.sampleRate > 1 || maxOverhead != nil ? 1 : 0
        config.unseen_frees = Self.seesAllFrees(resolution) ? 0 : 1
        if let cache {
            config.by_cache = 1
            withUnsafeMutableBytes(of: &config.cache) { bytes in
                // MemLeakRequest checked that a NUL is left
                for (index, byte) in cache.utf8.enumerated() { bytes[index] = byte }
            }
        }
        if resolution[KernelLeakProbes.Slab.self]?.looksUpCaches == true {
            let variables = KernelVariables.addresses(of: ["vmemmap_base", "page_offset_base"])
            config.vmemmap_base = variables["vmemmap_base"] ?? 0
            config.page_offset_base = variables["page_offset_base"] ?? 0
        }
        let ranges = symbols?.ranges(of: Self.slabFunctions) ?? []
        withUnsafeMutableBytes(of: &config.slab) { bytes in
            let rows = bytes.bindMemory(to: kernelleak_code.self)
            for (row, range) in zip(rows.indices, ranges) {
                rows[row] = kernelleak_code(first: range.lowerBound, end: range.upperBound)
            }
        }
        return config
    }

    /// mm/slub.c: those through which the slab allocator takes pages, its own and those of
    /// large kmalloc(), which has a tracepoint itself.
    static let slabFunctions = [
        "allocate_slab", "new_slab", "___slab_alloc", "refill_objects", "kmalloc_order",
        "kmalloc_large_node", "__kmalloc_large_node", "___kmalloc_large_node",
    ]

    static func seesAllFrees(_ resolution: Resolution) -> Bool {
        guard resolution.has(KernelLeakProbes.Bulk.self) else { return true }
        return resolution[KernelLeakProbes.Bulk.self] != nil && resolution[KernelLeakProbes.RCU.self] != nil
    }

    /// What holds `--max-overhead`; nil where it is not asked for. To be made before the probes are attached: the
    /// kernel measures programs for CAP_SYS_ADMIN alone, which is given up then.
    ///
    /// - Throws: `BPFError` where the kernel does not measure them.
    func overheadLimit() throws(BPFError) -> OverheadLimit? {
        guard let maxOverhead else { return nil }
        return try OverheadLimit(percent: maxOverhead, rate: settings.sampleRate)
    }

    /// The run that the arguments ask for.
    func mode(_ symbols: KernelSymbols?) -> ToolMode {
        let room = KernelLeakProbes.Room(
            blocks: settings.maxAllocations ?? Self.room, totals: settings.combinedOnly ? nil : 1,
            events: settings.trace ? nil : 4096)
        return KernelLeakProbes.mode(percpu: percpu, room: room) { config($0, symbols) }
    }
}

/// The kernel's variables, by /proc/kallsyms, which names them where CONFIG_KALLSYMS_ALL is set.
enum KernelVariables {
    /// - Returns: those that are named, and not hidden.
    static func addresses(of names: [String]) -> [String: UInt64] {
        guard let bytes = readBytes("/proc/kallsyms") else { return [:] }
        let wanted = names.map { Array($0.utf8) }
        var found: [String: UInt64] = [:]
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")), found.count < names.count {
            defer { start = end + 1 }
            // "ffffffff82a3c1c8 D vmemmap_base"
            guard end - start > 19, bytes[start + 17] | 0x20 != UInt8(ascii: "t") else { continue }
            for (name, text) in zip(wanted, names)
            where end - start == 19 + name.count && bytes[(start + 19)..<end].elementsEqual(name) {
                let digits = String(decoding: bytes[start..<(start + 16)], as: UTF8.self)
                if let address = UInt64(digits, radix: 16), address != 0 { found[text] = address }
            }
        }
        return found
    }
}
