// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct CacheTopLines {
    private let file = CachedFile(major: 259, minor: 1, inode: 12_345_678_901)
    private let pages = PageCacheInterval(
        readAccess: 30, faultAccess: 10, misses: 8, readahead: 2, dirty: 8, writeAllocated: 5, evicted: 9)

    private func lines(_ rows: [CacheTopRow], seesAccesses: Bool = true) -> [String] {
        rows.map { CacheTopText.line($0, seesAccesses: seesAccesses, userName: CacheTopSample.user) }
    }

    @Test("headings and rows of every view: known, unknown, wider than their columns")
    func views() throws {
        let huge = PageCacheInterval(readAccess: 12_345_678_901, misses: 345_678_901, dirty: 123_456_789)
        let rows = [
            CacheTopRow(view: .process, pid: 544, uid: 0, comm: "dbus-daemon", pages: pages),
            CacheTopRow(view: .process, pid: 4_194_304, uid: 7, comm: "a-name-of-sixteen", pages: huge),
            CacheTopRow(view: .process, pages: PageCacheInterval()),
            CacheTopRow(view: .file, file: file, name: "/var/lib/a b", pages: pages),
            CacheTopRow(view: .file, file: CachedFile(major: 8, minor: 1, inode: 2), name: nil, pages: huge),
            CacheTopRow(view: .file, name: "[not known]", pages: PageCacheInterval()),
            CacheTopRow(view: .cgroup, name: "/system.slice\u{1b}", pages: pages),
            CacheTopRow(view: .cgroup, pages: PageCacheInterval()),
        ]
        let all = CacheTopView.allCases.flatMap { view in
            let own = rows.filter { $0.view == view }
            return [CacheTopText.header(view)] + lines(own) + lines(own, seesAccesses: false)
        }
        try GoldenFile("cachetop-views.txt").expect(all)
    }

    @Test("the first line: whole MiB, and ? where /proc/meminfo does not say")
    func title() {
        let time = WallTime(nanoseconds: 0).clockTime
        #expect(
            CacheTopText.title(CacheTopSample.report([]))
                == "\(time) Buffers MB: 1 / Cached MB: 1024 / Sort: HITS / Order: descending")
        #expect(
            CacheTopText.title(CacheTopSample.report([], meminfo: ""))
                == "\(time) Buffers MB: ? / Cached MB: ? / Sort: HITS / Order: descending")
        #expect(CacheTopOrder(descending: false).words == "ascending")
    }

    @Test("the remark on what is in no row, where there is any")
    func remark() {
        #expect(CacheTopText.remark(CacheTopSample.report([])) == nil)
        #expect(
            CacheTopText.remark(CacheTopSample.report([], unattributed: pages))
                == "not in any row, for a map was full: 40 pages accessed, 8 missed, 8 dirtied")
    }

    @Test("an interval is empty only where nothing at all happened")
    func emptiness() {
        #expect(PageCacheInterval(writeAllocated: 1).isEmpty)
        for one in [
            PageCacheInterval(readAccess: 1), PageCacheInterval(faultAccess: 1), PageCacheInterval(misses: 1),
            PageCacheInterval(dirty: 1), PageCacheInterval(evicted: 1),
        ] { #expect(!one.isEmpty) }
        #expect(pages.activity == 56)
        #expect(pages.accessPages == 40)
    }

    @Test("intervals add up field by field")
    func addition() {
        let other = PageCacheInterval(
            readAccess: 100, faultAccess: 200, misses: 300, readahead: 400, dirty: 500, writeAllocated: 600,
            evicted: 700)
        #expect(
            pages + other
                == PageCacheInterval(
                    readAccess: 130, faultAccess: 210, misses: 308, readahead: 402, dirty: 508, writeAllocated: 605,
                    evicted: 709))
    }

    @Test("hits are what exceeds the misses; ratios at their ends")
    func boundaries() {
        #expect(PageCacheInterval(readAccess: 3, misses: 3).hitPages == 0)
        #expect(PageCacheInterval(readAccess: 4, misses: 3).hitPages == 1)
        #expect(PageCacheInterval(readAccess: 2, misses: 3).hitPages == 0)
        #expect(PageCacheInterval(misses: 1).hitRatio == 0)
        #expect(PageCacheInterval(readAccess: 1).hitRatio == 1)
        #expect(PageCacheInterval(dirty: 1).writeHitRatio == 1)
        #expect(PageCacheInterval(dirty: 1, writeAllocated: 1).writeHitRatio == 0)
        #expect(PageCacheInterval(dirty: 2, writeAllocated: 1).writeHitRatio == 0.5)
        #expect(PageCacheInterval(writeAllocated: 1).writeHitRatio == nil)
    }
}
