// SPDX-License-Identifier: Apache-2.0

/// Where the machine's memory is: parts that do not overlap, and what no counter owns. They sum to MemTotal, always.
///
/// Counters of the kernel overlap in places; each is made disjoint here, and the comment says of what.
public struct MemoryLedger: Sendable {
    public let time: WallTime
    /// CLOCK_MONOTONIC, in nanoseconds.
    public let monotonic: UInt64
    /// MemTotal.
    public let totalBytes: UInt64
    /// By leaf; nil where it is not known.
    private var leaves: [MemoryPart: UInt64] = [:]
    /// By how much `unaccountedBytes` may be off, either way.
    public private(set) var errorBytes: UInt64 = 0
    /// Counters larger than the memory there is, by name: they are not used.
    public private(set) var absurdCounters: [String] = []
    /// Parts of parts that overlap others, or have names.
    public let details: [MemoryDetail]
    /// Each zone with its watermarks.
    public let zones: ZoneInfo
    public let pageBytes: UInt64
    /// The largest files of shared memory, largest first.
    public let sharedFiles: [SharedMemory.Object]
    /// Processes whose shared memory may not be looked at.
    public let unseenProcesses: Int
    /// Processes that there was no time for.
    public let skippedProcesses: Int

    /// - Returns: nil where the reading has no MemTotal.
    public init?(_ reading: MemoryReading) {
        guard
            let total = reading.meminfo["MemTotal"]
                ?? reading.zones.managed.flatMap({
                    let (bytes, overflow) = $0.multipliedReportingOverflow(by: reading.machine.pageBytes)
                    return overflow || bytes > 1 << 52 ? nil : bytes
                }), total > 0
        else { return nil }
        (time, monotonic, totalBytes) = (reading.time, reading.monotonic, total)
        (zones, pageBytes) = (reading.zones, reading.machine.pageBytes)
        sharedFiles = reading.shared.objects
        unseenProcesses = reading.shared.unseenProcesses
        skippedProcesses = reading.shared.skippedProcesses
        details = MemoryDetail.all(reading, total: total)
        var counters = CheckedCounters(reading, total: total)
        addFree(reading, &counters)
        addUserMemory(reading, &counters)
        addKernel(reading, &counters)
        absurdCounters = counters.absurd
        errorBytes = Self.error(reading, counters, usesSwapCache: (leaves[.swapCache] ?? 0) > 0)
    }

    /// Free memory. MemFree has what CMA areas and unaccepted memory have free in it, and not the lists of CPUs.
    private mutating func addFree(_ reading: MemoryReading, _ counters: inout CheckedCounters) {
        let free = counters.zone("nr_free_pages", or: "MemFree")
        // no line: there are no such areas
        let cma = counters.meminfo("CmaFree") ?? 0
        let unaccepted = counters.meminfo("Unaccepted") ?? 0
        leaves[.cma] = min(cma, free ?? cma)
        leaves[.unaccepted] = min(unaccepted, (free ?? unaccepted) - min(cma, free ?? cma))
        leaves[.free] = free.map { $0 - min($0, cma.addingCapped(unaccepted)) }
        leaves[.freePerCPULists] = counters.checked(
            "free lists of CPUs", reading.zones.perCPUFree.map(counters.bytes))
    }

    /// Memory of processes and files. The page cache has block devices' buffers, the swap cache and shared memory in
    /// it; a page of the swap cache that a process maps is anonymous too.
    private mutating func addUserMemory(_ reading: MemoryReading, _ counters: inout CheckedCounters) {
        let anon = counters.node("nr_anon_pages", or: "AnonPages")
        let shmem = counters.node("nr_shmem", or: "Shmem")
        let buffers = counters.meminfo("Buffers")
        let swapCached = counters.meminfo("SwapCached") ?? 0
        let cached =
            counters.node("nr_file_pages").map { pages in
                pages - min(pages, (buffers ?? 0).addingCapped(swapCached))
            } ?? counters.meminfo("Cached")
        leaves[.anon] = anon
        leaves[.buffers] = buffers
        leaves[.file] = cached.map { $0 - min($0, shmem ?? 0) }

        // every page of these is on a list of the LRU, once: what is beyond them is swap cache that nobody maps, and
        // pages that were dropped from their file or process and are still held
        var lists: UInt64?
        for (name, line) in [
            ("nr_inactive_anon", "Inactive(anon)"), ("nr_active_anon", "Active(anon)"),
            ("nr_inactive_file", "Inactive(file)"), ("nr_active_file", "Active(file)"),
            ("nr_unevictable", "Unevictable"),
        ] {
            let bytes = reading.zones.nodeSum(name).map(counters.bytes) ?? reading.meminfo[line]
            guard let bytes = counters.checked(name, bytes) else { continue }
            lists = (lists ?? 0).addingCapped(bytes)
        }
        let known = [anon, cached, buffers].reduce(UInt64(0)) { $0.addingCapped($1 ?? 0) }
        let beyond = lists.map { $0 - min($0, known) } ?? 0
        leaves[.swapCache] = min(beyond, swapCached)
        leaves[.lruOther] = anon == nil || cached == nil ? nil : beyond - min(beyond, swapCached)
        addShared(reading.shared, shmem: shmem)
    }

    /// Shared memory by what holds it. What they have in swap is none of it, and is not told apart from what is
    /// resident: where they have more than the kernel counts, each is less by its share.
    private mutating func addShared(_ shared: SharedMemory, shmem: UInt64?) {
        guard let shmem else { return }
        let sysv = min(shared.systemVBytes ?? 0, shmem)
        var kinds: [(MemoryPart, UInt64)] = [
            (.tmpfs, shared.sum(posix: false)), (.posixShm, shared.sum(posix: true)), (.memfd, shared.sum(.memfd)),
            (.sharedAnonymous, shared.sum(.anonymous)), (.shmemDeleted, shared.sum(.deleted)),
            (.gpuObjects, shared.sum(.gpu)),
        ]
        // a file that was deleted is still part of its mount's sum
        let deleted = kinds[4].1
        kinds[0].1 -= min(kinds[0].1, deleted)
        if deleted > shared.sum(posix: false) {
            kinds[1].1 -= min(kinds[1].1, deleted - shared.sum(posix: false))
        }
        let room = shmem - sysv
        let sum = kinds.reduce(UInt64(0)) { $0.addingCapped($1.1) }
        if sum > room {
            for index in kinds.indices { kinds[index].1 = scaled(kinds[index].1, room, of: sum) }
        }
        let left = room - kinds.reduce(0) { $0 + $1.1 }
        leaves[.sysvShm] = shared.systemVBytes == nil ? nil : sysv
        // what a user may not look at is not 0; a process or two that hide from root have what is not told apart
        let isPartial = shared.unseenProcesses + shared.skippedProcesses > shared.seenProcesses
        let mayBeMore = isPartial && left > 0
        for (part, bytes) in kinds {
            let isByProcess = ![.tmpfs, .posixShm].contains(part)
            leaves[part] = isByProcess && bytes == 0 && mayBeMore ? nil : bytes
        }
        leaves[.shmemOther] = left
    }

    /// Memory of the kernel's own.
    private mutating func addKernel(_ reading: MemoryReading, _ counters: inout CheckedCounters) {
        let machine = reading.machine
        let reclaimable = counters.node("nr_slab_reclaimable", or: "SReclaimable")
        leaves[.slabReclaimable] = reclaimable
        leaves[.slabUnreclaimable] = counters.node("nr_slab_unreclaimable", or: "SUnreclaim")
        // KReclaimable has the slab allocator's in it (Linux 4.20)
        leaves[.kernelReclaimable] =
            counters.node("nr_kernel_misc_reclaimable")
            ?? counters.meminfo("KReclaimable").flatMap { all in reclaimable.map { all - min(all, $0) } }
        leaves[.pageTables] = counters.node("nr_page_table_pages", or: "PageTables")
        leaves[.pageTablesSecondary] = counters.node("nr_sec_page_table_pages", or: "SecPageTables")
        addHugePages(reading, &counters)

        // the counter of stacks is in kB, in every file
        let stacks = counters.meminfo("KernelStack")
        let vmalloc = counters.meminfo("VmallocUsed")
        leaves[.kernelStack] = stacks
        // stacks in vmalloc's memory are in both; less than the stacks says that they are not
        leaves[.vmalloc] = vmalloc.map { all in
            guard machine.stacksInVmalloc, let stacks, all >= stacks else { return all }
            return all - stacks
        }
        leaves[.percpu] = counters.meminfo("Percpu").map { $0 - min($0, machine.firstPerCPUBytes ?? 0) }

        for (part, bytes) in reading.heldPages.bytes { leaves[part] = counters.checked(part.rawValue, bytes) }

        // no counter: the kernel is built without it
        let zspages = counters.zone("nr_zspages") ?? 0
        leaves[.zsmalloc] = zspages
        leaves[.zswap] = machine.zswapInZsmalloc ? 0 : counters.meminfo("Zswap") ?? 0
        leaves[.gpuActive] = counters.node("nr_gpu_active", or: "GPUActive") ?? 0
        leaves[.gpuReclaimable] = counters.node("nr_gpu_reclaim", or: "GPUReclaim") ?? 0
        // a driver that takes its pages out of MemTotal has none in it
        let balloon =
            counters.node("nr_balloon_pages", or: "Balloon")
            ?? counters.checked("balloon_inflate", reading.balloonPages.map(counters.bytes)) ?? 0
        leaves[.balloon] = machine.balloonInTotal ? balloon : 0
    }

    private mutating func addHugePages(_ reading: MemoryReading, _ counters: inout CheckedCounters) {
        if reading.hugePools.isEmpty {
            // no line either: the kernel is built without them
            leaves[.hugetlb] = counters.meminfo("Hugetlb") ?? 0
            return
        }
        let sum = reading.hugePools.reduce(UInt64(0)) { $0.addingCapped($1.bytes($1.pages) ?? .max) }
        leaves[.hugetlb] = counters.checked("hugetlb", sum)
    }

    /// The counts that CPUs have not folded yet, for each counter; pages on their way to a list of the LRU;
    /// per-CPU memory of which it is not known whether MemTotal has it.
    private static func error(
        _ reading: MemoryReading, _ counters: CheckedCounters, usesSwapCache: Bool
    ) -> UInt64 {
        let zones = reading.zones
        var pages: UInt64 = 0
        if !reading.isExact {
            // since Linux 7.1 VmallocUsed is a counter of nodes
            let vmalloc = zones.nodeSum("nr_vmalloc") == nil ? 0 : 1
            let nodes = UInt64(counters.nodeCounters + vmalloc + (usesSwapCache ? 5 : 0))
            pages = zones.nodeCounterError.multipliedCapped(by: nodes)
            pages = pages.addingCapped(zones.zoneCounterError.multipliedCapped(by: UInt64(counters.zoneCounters)))
        }
        // a batch of the LRU has up to 31 (include/linux/pagevec.h, PAGEVEC_SIZE; 15 before Linux 6.9)
        pages = pages.addingCapped(UInt64(zones.cpus) * 31)
        var bytes = counters.bytes(pages)
        if reading.machine.firstPerCPUBytes == nil {
            bytes = bytes.addingCapped(reading.meminfo["Percpu"] ?? 0)
        }
        return min(bytes, 1 << 52)
    }

    /// In bytes; nil where it is not known. A part of which some parts are not known is the sum of those that are.
    public subscript(part: MemoryPart) -> UInt64? {
        if let bytes = leaves[part] { return bytes }
        let parts = MemoryPart.leaves.filter { $0.parent == part }.compactMap { leaves[$0] }
        return parts.isEmpty ? nil : parts.reduce(0, +)
    }

    /// What no part owns; less than 0 where parts have more than there is, by what counters are off.
    public var unaccountedBytes: Int64 {
        Int64(totalBytes) - leaves.values.reduce(Int64(0)) { $0 + Int64($1) }
    }

    /// Is the remainder no more than what counters may be off by?
    public var isWithinError: Bool { unaccountedBytes.magnitude <= errorBytes }
}

/// A number's share, rounded down: never more than `room` in sum.
private func scaled(_ bytes: UInt64, _ room: UInt64, of sum: UInt64) -> UInt64 {
    guard sum > 0 else { return 0 }
    let (high, low) = bytes.multipliedFullWidth(by: room)
    // the quotient fits, for bytes <= sum
    return sum.dividingFullWidth((high, low)).quotient
}

extension UInt64 {
    /// The product, or the largest number where there is none.
    func multipliedCapped(by other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
