// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports
internal import SystemLayer
internal import TraceRecords

/// cachestat's counters, a row at the end of each interval.
struct CacheStatSource: ReportSource {
    private let text: CacheStatText
    /// Every task is counted: the kernel's own counts can be held against ours.
    private let wholeMachine: Bool
    private let sees: CacheStatRow.Sight
    private let counters: PerCPUMap<UInt32, pagecache_counters>
    /// What became of pages read ahead; nil where that is not followed.
    private let followed: PerCPUMap<UInt32, readahead_counters>?

    private var pages: PageCacheLedger
    private var use: ReadaheadLedger?
    private var vmstat: VMStat
    private var losses: Losses
    private var began: UInt64

    /// Counting begins here.
    init(_ session: borrowing Session, _ text: CacheStatText, wholeMachine: Bool) throws {
        self.text = text
        self.wholeMachine = wholeMachine
        let resolution = session.probes.resolution
        sees = CacheStatRow.Sight(
            accesses: resolution.seesAccesses, evictions: resolution[PageCache.Removals.self] != nil)
        counters = try session.probes.object.perCPUMap("counters")
        followed =
            resolution[PageCache.Readahead.self] == nil ? nil : try session.probes.object.perCPUMap("readahead")
        pages = PageCacheLedger(from: PageCacheCounters(records: try counters.values(for: 0) ?? []))
        use = try followed.map { ReadaheadLedger(from: ReadaheadCounters(records: try $0.values(for: 0) ?? [])) }
        vmstat = Self.readVMStat()
        losses = try session.losses()
        began = monotonicNow()
    }

    private static func readVMStat() -> VMStat { VMStat(vmstat: ProcFS.text("vmstat"), pageBytes: pageBytes) }

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        try session.begin(text.header)
    }

    mutating func report(_ session: inout Session) throws {
        let row = try advance(session)
        guard !session.options.json else {
            session.output.print(CacheStatJSON.line(row))
            return
        }
        session.output.print(text.line(row))
        for remark in text.remarks(row) { session.output.note(remark) }
    }

    /// Ends an interval.
    private mutating func advance(_ session: borrowing Session) throws -> CacheStatRow {
        let now = monotonicNow()
        let lossesNow = try session.losses()
        let counted = pages.advance(to: PageCacheCounters(records: try counters.values(for: 0) ?? []))
        var readahead: ReadaheadUse?
        if let followed {
            let read = ReadaheadCounters(records: try followed.values(for: 0) ?? [])
            readahead = use?.advance(to: read, pages: counted)
        }
        let vmstatNow = Self.readVMStat()
        let change = vmstatNow.since(vmstat)
        defer { (vmstat, losses, began) = (vmstatNow, lossesNow, now) }
        return CacheStatRow(
            time: .now, intervalNanoseconds: now - began, pages: counted, readahead: readahead, sees: sees,
            memory: MemoryInfo(meminfo: ProcFS.text("meminfo")), vmstat: change,
            contradictions: wholeMachine ? change.contradictions(to: counted, cpus: possibleCPUs) : nil,
            losses: lossesNow.since(losses))
    }
}
