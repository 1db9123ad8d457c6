// SPDX-License-Identifier: Apache-2.0
internal import LibBPF

/// The stacks that the programs keep by their hash, as they are read: each once, for its place in the kernel's table
/// may be given away.
struct StackTable<Record: BitwiseCopyable, Stack> {
    private let map: BPFMap<UInt64, Record>
    private let convert: (Record) -> Stack
    private var known: [UInt64: Stack] = [:]
    private var drained: UInt64 = 0

    init(_ map: BPFMap<UInt64, Record>, _ convert: @escaping (Record) -> Stack) {
        self.map = map
        self.convert = convert
    }

    /// A stack; nil where it was lost.
    ///
    /// - Throws: `BPFError` where the map can't be read.
    mutating func stack(_ hash: UInt64) throws(BPFError) -> Stack? {
        guard hash != 0 else { return nil }
        if let stack = known[hash] { return stack }
        guard let record = try map.value(for: hash) else { return nil }
        let stack = convert(record)
        known[hash] = stack
        return stack
    }

    /// Adds one that the kernel has not captured.
    mutating func add(_ hash: UInt64, _ stack: Stack) { known[hash] = stack }

    /// Makes room in the kernel's table where half of the least is taken. A stack that is needed there again comes again.
    ///
    /// - Parameter stacks: how many were put into it since the start.
    mutating func makeRoom(_ stacks: UInt64) throws(BPFError) {
        guard stacks &- drained > 8192 else { return }
        drained = stacks
        var fetched: [(hash: UInt64, record: Record)] = []
        try map.drain { hash, record in fetched.append((hash, record)) }
        for entry in fetched { known[entry.hash] = convert(entry.record) }
    }
}
