// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports
internal import SystemLayer
internal import SystemPackage
internal import TraceRecords

/// `--evicted`: who evicted whose pages, read at the end of each interval.
struct MemStallEvictionReader {
    private let evictions: BPFMap<memstall_eviction_key, memstall_eviction>
    private var before: [MemStallEvictionKey: EvictedPages] = [:]
    private var refaults: CgroupRefaults

    /// What was evicted before is left out.
    init(_ session: borrowing Session) throws {
        evictions = try session.probes.object.map("evictions")
        refaults = CgroupRefaults()
        before = try read()
    }

    private func read() throws(BPFError) -> [MemStallEvictionKey: EvictedPages] {
        var result: [MemStallEvictionKey: EvictedPages] = [:]
        try evictions.forEach { key, record in result[MemStallEvictionKey(key)] = EvictedPages(record) }
        return result
    }

    /// Ends an interval.
    mutating func advance(_ cgroups: inout MemStallCgroups) throws -> [MemStallEviction] {
        let now = try read()
        var found: [MemStallEviction] = []
        for (key, pages) in now {
            found.append(
                MemStallEviction(
                    evictor: try cgroups.path(key.evictor), owner: try cgroups.path(key.owner), cause: key.cause,
                    limit: try cgroups.path(key.limit), pages: pages.since(before[key] ?? EvictedPages())))
        }
        before = now
        found.removeAll { $0.pages.total == 0 }
        let back = refaults.advance(Set(found.compactMap(\.owner)))
        return MemStallEviction.evictions(found, before: back.before, now: back.now)
    }
}

/// What memory.stat says of pages that came back, as it was at the end of the last interval.
struct CgroupRefaults {
    private var known: [CgroupPath: RefaultedPages] = [:]
    private let mount = CgroupTarget.memoryHierarchy()

    /// A machine with more has other troubles; what is left out has no figures.
    private static let most = 1024

    /// Reads every cgroup's: whose pages will be evicted nobody knows.
    init() {
        guard mount != nil else { return }
        for path in MemStallHierarchy.paths(most: Self.most) { known[path] = read(path) }
    }

    private func read(_ path: CgroupPath) -> RefaultedPages? {
        guard let mount else { return nil }
        let stat = readText(MemStallHierarchy.directory(path, mount).appending("memory.stat"))
        return stat.map { RefaultedPages(stat: $0, isUnified: mount.unified) }
    }

    /// One that was not there when all were read last has begun with nothing.
    mutating func advance(
        _ paths: Set<CgroupPath>
    ) -> (before: [CgroupPath: RefaultedPages], now: [CgroupPath: RefaultedPages]) {
        var before: [CgroupPath: RefaultedPages] = [:], now: [CgroupPath: RefaultedPages] = [:]
        let isComplete = known.count < Self.most
        // those that are not evicted from in this interval may be in the next
        var all: [CgroupPath: RefaultedPages] = [:]
        for path in MemStallHierarchy.paths(most: Self.most) { all[path] = read(path) }
        for path in paths {
            guard let later = all[path] else { continue }
            before[path] = known[path] ?? (isComplete ? RefaultedPages(anonymous: 0, file: 0) : nil)
            now[path] = later
        }
        known = all
        return (before, now)
    }
}
