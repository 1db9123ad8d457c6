// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports
internal import SystemLayer

/// What one interval brought to cachetop.
struct CacheTopReading {
    let time: WallTime
    let intervalNanoseconds: UInt64
    let counted: CacheTopInterval
    let memory: MemoryInfo
    let losses: Losses
}

/// cachetop's intervals, and reports of them as the options ask for.
struct CacheTopReadings {
    let options: CacheTop
    private var reader: CacheTopReader
    private let seesAccesses: Bool
    private var began = monotonicNow()
    private var losses: Losses

    /// Counting begins here.
    init(_ session: borrowing Session, _ options: CacheTop) throws {
        self.options = options
        reader = try CacheTopReader(session.probes.object)
        seesAccesses = session.probes.resolution.seesAccesses
        losses = try session.losses()
    }

    /// The order that the options ask for.
    var order: CacheTopOrder { CacheTopOrder(column: options.sort.column, descending: !options.ascending) }

    var names: CacheTopNames { reader.names }

    /// Ends an interval.
    mutating func advance(_ session: borrowing Session) throws -> CacheTopReading {
        let now = monotonicNow()
        let counted = try reader.collect()
        let lossesNow = try session.losses()
        defer { (began, losses) = (now, lossesNow) }
        return CacheTopReading(
            time: .now, intervalNanoseconds: now - began, counted: counted,
            memory: MemoryInfo(meminfo: ProcFS.text("meminfo")), losses: lossesNow.since(losses))
    }

    func report(of reading: CacheTopReading, by view: CacheTopView, _ order: CacheTopOrder) -> CacheTopReport {
        let all = reading.counted.rows(
            by: view, files: options.file.map { Glob($0) }, fileName: names.fileName, cgroupName: names.cgroupName)
        let sorted = order.sorted(all, userName: names.userName)
        return CacheTopReport(
            time: reading.time, intervalNanoseconds: reading.intervalNanoseconds, view: view, order: order,
            rows: options.rows.map { Array(sorted.prefix($0.value)) } ?? sorted, total: reading.counted.total,
            unattributed: reading.counted.unattributed, seesAccesses: seesAccesses, memory: reading.memory,
            losses: reading.losses)
    }
}
