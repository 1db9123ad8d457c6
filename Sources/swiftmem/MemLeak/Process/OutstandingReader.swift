// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords
internal import LibBPF
internal import Reports

/// Reads what the programs keep: blocks, sums, counters and stacks.
struct OutstandingReader {
    private let blocks: BPFMap<memleak_key, memleak_block>
    private let totals: PerCPUMap<memleak_total_key, memleak_total>
    private let counters: PerCPUMap<UInt32, memleak_counters>
    private let stacks: BPFMap<UInt64, stack_record>
    /// Stacks read so far: their place in the kernel's table may be given away.
    private var known: [UInt64: CapturedStack] = [:]
    private var drained: UInt64 = 0

    /// Stacks in the kernel's table where all its room is taken at once; 65536 elsewhere.
    static let smallStackTable = 16384
    /// From this many in the table on, stacks are fetched to make room.
    private static let crowded: UInt64 = 8192

    init(_ object: borrowing LoadedObject) throws(BPFError) {
        blocks = try object.map("blocks")
        totals = try object.perCPUMap("totals")
        counters = try object.perCPUMap("counters")
        stacks = try object.map("stacks")
    }

    func readCounters() throws(BPFError) -> MemLeakCounters {
        MemLeakCounters(records: try counters.values(for: 0) ?? [])
    }

    /// Adds every block to a table.
    ///
    /// - Parameter dead: processes whose memory is gone, with the time until which what
    ///   they had is to be dropped.
    /// - Returns: what was dropped.
    func addBlocks(
        to table: inout OutstandingTable, dead: [UInt32: UInt64]
    ) throws(BPFError) -> OutstandingSum {
        var gone: [memleak_key] = []
        var dropped = OutstandingSum()
        try blocks.forEach { key, block in
            if let time = dead[key.pid], block.time_ns <= time {
                gone.append(key)
                dropped.bytes &+= block.size
                dropped.count &+= 1
            } else {
                table.add(
                    pid: key.pid, address: key.address, bytes: block.size, time: block.time_ns,
                    stack: block.stack)
            }
        }
        for key in gone { try blocks.remove(key) }
        return dropped
    }

    /// Adds the kernel's sums to a table.
    func addTotals(to table: inout OutstandingTable) throws(BPFError) {
        try totals.forEach { key, parts in
            table.add(total: AllocationTotal(records: parts), pid: key.pid, stack: key.stack)
        }
    }

    /// Drops what a process had, where the kernel adds up.
    func dropTotals(of pid: UInt32) throws(BPFError) {
        var gone: [memleak_total_key] = []
        try totals.forEach { key, _ in if key.pid == pid { gone.append(key) } }
        for key in gone { try totals.remove(key) }
    }

    /// A stack; nil where it was lost.
    mutating func stack(_ stack: UInt64) throws(BPFError) -> CapturedStack? {
        guard stack != 0 else { return nil }
        if let captured = known[stack] { return captured }
        guard let record = try stacks.value(for: stack) else { return nil }
        let captured = CapturedStack(record)
        known[stack] = captured
        return captured
    }

    /// Makes room in the kernel's table. A stack that is needed there again comes again.
    mutating func makeRoom(_ counters: MemLeakCounters) throws(BPFError) {
        guard counters.stacks &- drained > Self.crowded else { return }
        drained = counters.stacks
        var fetched: [(UInt64, CapturedStack)] = []
        try stacks.drain { hash, record in fetched.append((hash, CapturedStack(record))) }
        for (hash, captured) in fetched { known[hash] = captured }
    }
}
