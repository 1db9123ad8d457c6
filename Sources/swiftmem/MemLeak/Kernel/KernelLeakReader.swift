// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords
internal import LibBPF
internal import Reports

/// Reads what the kernel's programs keep: blocks, sums, counters, stacks and caches.
struct KernelLeakReader {
    private let blocks: BPFMap<UInt64, kernelleak_block>
    private let totals: PerCPUMap<UInt64, memleak_total>
    private let counters: PerCPUMap<UInt32, kernelleak_counters>
    private let caches: BPFMap<UInt64, kernelleak_cache>
    private let sampling: BPFMap<UInt32, kernelleak_sampling>
    private var stacks: StackTable<kstack_record, CapturedKernelStack>

    init(_ object: borrowing LoadedObject) throws(BPFError) {
        blocks = try object.map("blocks")
        totals = try object.perCPUMap("totals")
        counters = try object.perCPUMap("counters")
        stacks = StackTable(try object.map("stacks")) { CapturedKernelStack($0) }
        caches = try object.map("caches")
        sampling = try object.map("sampling")
    }

    func readCounters() throws(BPFError) -> (shared: MemLeakCounters, kernel: KernelLeakCounters) {
        let records = try counters.values(for: 0) ?? []
        return (MemLeakCounters(records: records.map(\.calls)), KernelLeakCounters(records: records))
    }

    /// Records one allocation in `rate` from now on.
    func setSampling(_ rate: UInt64) throws(BPFError) {
        var now = kernelleak_sampling()
        if rate > 1 {
            now.threshold = UInt32(clamping: max(1, (UInt64(1) << 32) / rate))
            now.weight = UInt32(clamping: rate)
        }
        try sampling.set(0, to: now)
    }

    func addBlocks(to table: inout OutstandingTable) throws(BPFError) {
        try blocks.forEach { address, block in
            table.add(
                pid: 0, address: address, bytes: UInt64(block.size), time: block.time_ns,
                stack: block.stack, weight: .oneIn(UInt64(block.weight)))
        }
    }

    /// - Parameter isEstimated: the sums are of samples, each times its weight.
    func addTotals(to table: inout OutstandingTable, isEstimated: Bool) throws(BPFError) {
        try totals.forEach { stack, parts in
            table.add(total: AllocationTotal(records: parts), pid: 0, stack: stack, isEstimated: isEstimated)
        }
    }

    /// The caches met, by their address.
    func readCaches() throws(BPFError) -> [UInt64: KernelCache] {
        var all: [UInt64: KernelCache] = [:]
        try caches.forEach { address, cache in
            all[address] = KernelCache(cache)
        }
        return all
    }

    /// A stack; nil where it was lost.
    mutating func stack(_ hash: UInt64) throws(BPFError) -> CapturedKernelStack? { try stacks.stack(hash) }

    /// Makes room in the kernel's table of stacks.
    mutating func makeRoom(_ counters: MemLeakCounters) throws(BPFError) { try stacks.makeRoom(counters.stacks) }
}
