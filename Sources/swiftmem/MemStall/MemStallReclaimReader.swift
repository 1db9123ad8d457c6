// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports
internal import Symbols
internal import SystemLayer
internal import TraceRecords

/// What the kernel's own threads and its shrinkers did, read at the end of each interval.
struct MemStallReclaimReader {
    private let nodes: BPFMap<UInt32, memstall_node>
    private let shrinkers: PerCPUMap<UInt64, memstall_shrinker>?
    private let symbols: KernelSymbols?
    private let seesKswapd: Bool
    private let seesKcompactd: Bool
    private var nodesBefore: [UInt32: ReclaimNode] = [:]
    private var shrinkersBefore: [UInt64: ReclaimShrinker] = [:]

    /// - Parameter symbols: read before the session began, which gives rights away that they take.
    init(_ session: borrowing Session, _ symbols: KernelSymbols?) throws {
        nodes = try session.probes.object.map("nodes")
        let resolution = session.probes.resolution
        let seesShrinkers = resolution[MemStall.Shrinkers.self] != nil
        seesKswapd = resolution[MemStall.Switches.self] != nil
        seesKcompactd = resolution[MemStall.KernelCompaction.self] != nil
        shrinkers = seesShrinkers ? try session.probes.object.perCPUMap("shrinkers") : nil
        self.symbols = symbols
        nodesBefore = try readNodes()
    }

    private func readNodes() throws(BPFError) -> [UInt32: ReclaimNode] {
        let now = monotonicNow()
        var result: [UInt32: ReclaimNode] = [:]
        for node in 0..<UInt32(MEMSTALL_NODES) {
            guard let record = try nodes.value(for: node) else { continue }
            result[node] = ReclaimNode(
                record, node: node, at: now, seesKswapd: seesKswapd, seesKcompactd: seesKcompactd)
        }
        return result
    }

    /// Ends an interval.
    ///
    /// - Parameters:
    ///   - rows: every task's; nil where some are left out.
    ///   - epoch: its number.
    mutating func advance(_ rows: [MemStallRow]?, epoch: UInt32) throws -> MemStallReclaim {
        let now = try readNodes()
        var called: [UInt64: ReclaimShrinker] = [:]
        try shrinkers?.forEach { address, records in
            called[address] = ReclaimShrinker(records, function: symbols?.name(for: address)?.name, epoch: epoch)
        }
        defer { (nodesBefore, shrinkersBefore) = (now, called) }
        return MemStallReclaim(
            nodes: now.values.sorted { $0.node < $1.node }.map {
                var node = $0.since(nodesBefore[$0.node])
                if let rows { node.take(rows) }
                return node
            },
            shrinkers: shrinkers == nil ? nil : called.map { $1.since(shrinkersBefore[$0]) },
            zones: ZoneInfo(ProcFS.text("zoneinfo")).zones)
    }
}
