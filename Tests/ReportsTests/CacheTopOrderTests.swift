// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct CacheTopOrders {
    private func pids(_ rows: [CacheTopRow], _ column: CacheTopColumn, descending: Bool = true) -> [UInt32?] {
        CacheTopOrder(column: column, descending: descending).sorted(rows, userName: CacheTopSample.user).map(\.pid)
    }

    @Test("rows alike in the column: the busiest first, then by pid, whichever way the column is sorted")
    func ties() {
        let rows = [
            CacheTopSample.process(9, read: 5), CacheTopSample.process(3, read: 5),
            CacheTopSample.process(4, read: 5, dirty: 2), CacheTopSample.process(5, read: 4),
        ]
        #expect(pids(rows, .hits) == [4, 3, 9, 5])
        #expect(pids(rows, .hits, descending: false) == [5, 4, 3, 9])
        #expect(pids(rows.reversed(), .hits) == [4, 3, 9, 5])
        #expect(pids([], .hits).isEmpty)
        #expect(pids([rows[0]], .hits) == [9])
    }

    @Test("rows alike in column and activity: by name")
    func names() {
        for names in [["/a", "/b", "/c"], ["/c", "/b", "/a"], ["/b", "/c", "/a"]] {
            let rows = names.map { CacheTopSample.named(.file, $0, read: 7) }
            let sorted = CacheTopOrder().sorted(rows, userName: CacheTopSample.user)
            #expect(sorted.map(\.name) == ["/a", "/b", "/c"])
        }
        let nameless = CacheTopRow(view: .file, pages: PageCacheInterval(readAccess: 7))
        let rows = [CacheTopSample.named(.file, "/a", read: 7), nameless]
        #expect(CacheTopOrder().sorted(rows, userName: CacheTopSample.user).map(\.name) == [nil, "/a"])
    }

    @Test("by the owner's name, by the command's, and by the name where there is no command")
    func texts() {
        let rows = [
            CacheTopSample.process(1, "b", uid: 5, read: 1), CacheTopSample.process(2, "c", uid: 0, read: 2),
            CacheTopSample.process(3, "a", uid: 4, read: 3),
        ]
        #expect(pids(rows, .uid) == [1, 3, 2])
        #expect(pids(rows, .uid, descending: false) == [2, 3, 1])
        #expect(pids(rows, .cmd) == [2, 1, 3])
        #expect(pids(rows, .cmd, descending: false) == [3, 1, 2])
        let files = ["/x", "/z", "/y"].map { CacheTopSample.named(.file, $0, read: 1) }
        let sorted = CacheTopOrder(column: .cmd).sorted(files, userName: CacheTopSample.user)
        #expect(sorted.map(\.name) == ["/z", "/y", "/x"])
    }

    @Test("what has no ratio goes below 0 %")
    func withoutRatio() {
        let none = CacheTopSample.process(1, dirty: 50), zero = CacheTopSample.process(2, read: 3, misses: 3)
        let one = CacheTopSample.process(3, read: 1)
        #expect(pids([one, zero, none], .readHit) == [3, 2, 1])
        #expect(pids([one, zero, none], .readHit, descending: false) == [1, 2, 3])
        let clean = CacheTopSample.process(4, read: 90), created = CacheTopSample.process(5, dirty: 3, written: 3)
        #expect(pids([clean, created], .writeHit) == [5, 4])
    }
}
