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
    let arguments: MemLeakArguments

    /// Room for outstanding allocations: all of it is taken at the start.
    static let room = 1 << 20

    init(_ arguments: MemLeakArguments) throws(Failure) {
        self.arguments = arguments
        if let low = arguments.minSize, let high = arguments.maxSize, low > high {
            throw .usage("min_size (-z) can't be greater than max_size (-Z)")
        }
        if arguments.combinedOnly && arguments.showAllocs {
            throw .usage("--combined-only keeps no single allocations for -a to show")
        }
        for (isGiven, option) in [
            (arguments.obj != nil, "-O"), (arguments.symbolsPrefix != nil, "--symbols-prefix"),
            (arguments.follow, "--follow"), (arguments.exitStatus, "--exit-status"),
            (arguments.lines, "--lines"), (arguments.sampleBytes != nil, "--sample-bytes"),
        ] where isGiven {
            throw .usage("\(option) is of processes: with -p, -c or --cgroup")
        }
        if let name = arguments.cache {
            if arguments.percpu { throw .usage("--cache: per-CPU memory is in no slab cache") }
            guard name.utf8.count < Int(KERNELLEAK_CACHE_NAME) else {
                throw .usage("--cache: no slab cache has so long a name")
            }
            try SlabCaches.require(name)
        }
    }

    /// The programs' read-only data.
    func config(_ resolution: Resolution, _ symbols: KernelSymbols?) -> kernelleak_config {
        var config = kernelleak_config()
        config.min_size = arguments.minSize ?? 0
        config.max_size = arguments.maxSize ?? .max
        config.own_pid = UInt32(getpid())
        config.cpus = UInt32(possibleCPUs)
        config.page_size = UInt32(max(4096, sysconf(Int32(_SC_PAGESIZE))))
        config.totals = arguments.combinedOnly ? 1 : 0
        config.trace = arguments.trace ? 1 : 0
        config.sampled = arguments.sampleRate.value > 1 || arguments.maxOverhead != nil ? 1 : 0
        config.unseen_frees = Self.seesAllFrees(resolution) ? 0 : 1
        if let cache = arguments.cache {
            config.by_cache = 1
            withUnsafeMutableBytes(of: &config.cache) { bytes in
                // init checked that a NUL is left
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

    /// The run that the arguments ask for.
    func mode(_ symbols: KernelSymbols?) -> ToolMode {
        let room = KernelLeakProbes.Room(
            blocks: arguments.maxAllocations?.value ?? Self.room, totals: arguments.combinedOnly ? nil : 1,
            events: arguments.trace ? nil : 4096)
        return KernelLeakProbes.mode(percpu: arguments.percpu, room: room) { config($0, symbols) }
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

/// The kernel's slab caches.
enum SlabCaches {
    /// - Throws: `Failure` when no cache has this name, or its objects are in another.
    static func require(_ name: String) throws(Failure) {
        guard let table = readText("/proc/slabinfo") else { return }
        guard !names(table).contains(name) else { return }
        let shown = Printable.text(name)
        guard !name.contains("/"), let target = linkTarget("/sys/kernel/slab/\(name)") else {
            throw .usage("--cache \(shown): no slab cache has this name (/proc/slabinfo lists them)")
        }
        let merged = names(table).filter { linkTarget("/sys/kernel/slab/\($0)") == target }
        throw .usage(
            "--cache \(shown): its objects are in another cache"
                + (merged.first.map { ": \(Printable.text($0))" } ?? ""))
    }

    /// The caches of /proc/slabinfo.
    static func names(_ table: String) -> Set<String> {
        Set(
            table.split(separator: "\n").dropFirst(2).compactMap {
                $0.split(separator: " ").first.map(String.init)
            })
    }

    private static func linkTarget(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }
}
