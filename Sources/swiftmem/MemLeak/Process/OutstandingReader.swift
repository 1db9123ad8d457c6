// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords
internal import LibBPF
internal import Reports

/// Reads what the programs keep: blocks, sums, counters and stacks.
struct OutstandingReader {
    private let blocks: BPFMap<memleak_key, memleak_block>
    private let totals: PerCPUMap<memleak_total_key, memleak_total>
    private let counters: PerCPUMap<UInt32, memleak_counters>
    private var stacks: StackTable<stack_record, CapturedStack>

    /// Stacks in the kernel's table where all its room is taken at once; 65536 elsewhere.
    static let smallStackTable = 16384

    init(_ object: borrowing LoadedObject) throws(BPFError) {
        blocks = try object.map("blocks")
        totals = try object.perCPUMap("totals")
        counters = try object.perCPUMap("counters")
        stacks = StackTable(try object.map("stacks")) { CapturedStack($0) }
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

    /// Drops the sums of what processes had, outstanding or ever made: the map is gone through once for all of them.
    func dropTotals(of pids: Set<UInt32>) throws(BPFError) {
        var gone: [memleak_total_key] = []
        try totals.forEach { key, _ in if pids.contains(key.pid) { gone.append(key) } }
        for key in gone { try totals.remove(key) }
    }

    /// How many were recorded since the start, by stack, where the kernel counts that.
    func made() throws(BPFError) -> [AllocationSite: UInt64] {
        var made: [AllocationSite: UInt64] = [:]
        try totals.forEach { key, parts in
            let count = AllocationTotal(records: parts).count
            if count > 0 { made[AllocationSite(pid: key.pid, stack: key.stack)] = UInt64(count) }
        }
        return made
    }

    /// A stack; nil where it was lost.
    mutating func stack(_ stack: UInt64) throws(BPFError) -> CapturedStack? { try stacks.stack(stack) }

    /// Adds what the sampler in a process had recorded before its probes were there.
    ///
    /// A block may be freed or made anew meanwhile: what the programs recorded stays, and what the sampler does not have
    /// any more when all is added goes again.
    ///
    /// - Returns: how many.
    /// - Throws: `BPFError` where the map is full.
    mutating func add(_ sampler: ProcessSampler, of pid: UInt32) throws(BPFError) -> Int {
        func key(_ block: SampledBlock) -> memleak_key { memleak_key(address: block.address, pid: pid, padding: 0) }
        var added: [SampledBlock] = []
        for block in sampler.blocks() {
            // a place in the code, spread: no hash of a stack's is likely to be it
            let hash = (block.caller ^ 0x6265_666f_7265) &* 0x9e37_79b9_7f4a_7c15
            let value = memleak_block(size: block.bytes, time_ns: block.time, stack: hash)
            guard try blocks.set(key(block), to: value, where: .noExist) else { continue }
            stacks.add(hash, CapturedStack(callerBeforeTrace: block.caller))
            added.append(block)
        }
        let still = Set(sampler.blocks())
        for block in added where !still.contains(block) {
            guard let value = try blocks.value(for: key(block)), value.time_ns == block.time else { continue }
            try blocks.remove(key(block))
        }
        return added.count
    }

    /// Makes room in the kernel's table of stacks.
    mutating func makeRoom(_ counters: MemLeakCounters) throws(BPFError) { try stacks.makeRoom(counters.stacks) }
}
