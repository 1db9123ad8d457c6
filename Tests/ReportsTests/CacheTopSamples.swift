// SPDX-License-Identifier: Apache-2.0
@testable import Reports

/// Rows and reports of cachetop that several suites render.
enum CacheTopSample {
    static func user(_ uid: UInt32) -> String { uid == 0 ? "root" : "somebody-\(uid)" }

    static func process(
        _ pid: UInt32, _ comm: String = "app", uid: UInt32 = 0, read: UInt64 = 0, misses: UInt64 = 0,
        dirty: UInt64 = 0, written: UInt64 = 0
    ) -> CacheTopRow {
        CacheTopRow(
            view: .process, pid: pid, uid: uid, comm: comm,
            pages: PageCacheInterval(readAccess: read, misses: misses, dirty: dirty, writeAllocated: written))
    }

    static func named(_ view: CacheTopView, _ name: String, read: UInt64 = 0, dirty: UInt64 = 0) -> CacheTopRow {
        CacheTopRow(view: view, name: name, pages: PageCacheInterval(readAccess: read, dirty: dirty))
    }

    static func report(
        _ rows: [CacheTopRow], view: CacheTopView = .process, unattributed: PageCacheInterval = PageCacheInterval(),
        seesAccesses: Bool = true, losses: Losses = Losses(), meminfo: String = "Buffers: 2047 kB\nCached: 1048576 kB\n"
    ) -> CacheTopReport {
        CacheTopReport(
            time: WallTime(nanoseconds: 0), intervalNanoseconds: 1_000_000_000, view: view, order: CacheTopOrder(),
            rows: rows, total: PageCacheInterval(), unattributed: unattributed, seesAccesses: seesAccesses,
            memory: MemoryInfo(meminfo: meminfo), losses: losses)
    }
}
