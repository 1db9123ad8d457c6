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
    private let seesSleep: Bool
    private let symbols: KernelSymbols?
    private var nodesBefore: [UInt32: ReclaimNode] = [:]
    private var shrinkersBefore: [UInt64: ReclaimShrinker] = [:]

    init(_ session: borrowing Session, _ tasks: BPFMap<UInt32, memstall_task>) throws {
        nodes = try session.probes.object.map("nodes")
        let seesShrinkers = session.probes.resolution[MemStall.Shrinkers.self] != nil
        shrinkers = seesShrinkers ? try session.probes.object.perCPUMap("shrinkers") : nil
        seesSleep = session.probes.resolution[MemStall.Switches.self] != nil
        symbols = try? KernelSymbols()
        nodesBefore = try readNodes(tasks)
    }

    private func readNodes(_ tasks: BPFMap<UInt32, memstall_task>) throws(BPFError) -> [UInt32: ReclaimNode] {
        var awake: [UInt32: UInt64] = [:]
        try tasks.forEach { _, task in
            // the outermost, for its own sections lie inside
            guard task.depth > 0, task.pieces.0.kind == MEMSTALL_BY_KSWAPD.rawValue else { return }
            awake[task.pieces.0.node] = task.pieces.0.begin_ns
        }
        let now = monotonicNow()
        var result: [UInt32: ReclaimNode] = [:]
        for node in 0..<UInt32(MEMSTALL_NODES) {
            guard let record = try nodes.value(for: node) else { continue }
            result[node] = ReclaimNode(
                record, node: node, kswapdSince: awake[node], seesSleep: seesSleep, at: now)
        }
        return result
    }

    /// Ends an interval.
    ///
    /// - Parameter epoch: its number.
    mutating func advance(_ tasks: BPFMap<UInt32, memstall_task>, epoch: UInt32) throws -> MemStallReclaim {
        let now = try readNodes(tasks)
        var called: [UInt64: ReclaimShrinker] = [:]
        try shrinkers?.forEach { address, records in
            called[address] = ReclaimShrinker(records, function: symbols?.name(for: address)?.name, epoch: epoch)
        }
        defer { (nodesBefore, shrinkersBefore) = (now, called) }
        return MemStallReclaim(
            nodes: now.values.sorted { $0.node < $1.node }.map { $0.since(nodesBefore[$0.node]) },
            shrinkers: shrinkers == nil ? nil : called.map { $1.since(shrinkersBefore[$0]) },
            zones: ZoneInfo(ProcFS.text("zoneinfo")).zones)
    }
}
