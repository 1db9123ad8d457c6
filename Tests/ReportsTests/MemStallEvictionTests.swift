// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

/// Evicted pages: whose, by whom, and what came back.
@Suite struct MemStallEvictionTests: MemStallSamples {
    private func eviction(
        _ evictor: String?, _ owner: String?, _ pages: EvictedPages, _ cause: MemStallCause = .memcgMax
    ) -> MemStallEviction {
        MemStallEviction(
            evictor: evictor.map { CgroupPath($0) }, owner: owner.map { CgroupPath($0) }, cause: cause,
            limit: cause == .memcgMax ? CgroupPath("/pod") : nil, pages: pages)
    }

    @Test("most pages first, none without; what came back is the owner's, where its file says so")
    func evictions() {
        let found = MemStallEviction.evictions(
            [
                eviction("/pod/a", "/pod/a", EvictedPages(anonymous: 3)), eviction("/pod/a", "/pod/b", EvictedPages()),
                eviction(nil, "/c", EvictedPages(anonymous: 1, file: 9), .kswapd),
                eviction("/pod/a", "/pod/b", EvictedPages(file: 5, unknown: 1)),
            ],
            before: [
                CgroupPath("/pod/b"): RefaultedPages(anonymous: 10, file: 20),
                CgroupPath("/c"): RefaultedPages(anonymous: 1), CgroupPath("/pod/a"): RefaultedPages(),
            ],
            now: [
                CgroupPath("/pod/b"): RefaultedPages(anonymous: 10, file: 24),
                CgroupPath("/c"): RefaultedPages(anonymous: 3, file: 9),
            ])
        #expect(found.map(\.pages.total) == [10, 6, 3])
        #expect(found.map(\.refaultedAnonymous) == [2, 0, nil] && found.map(\.refaultedFile) == [nil, 4, nil])
        #expect(found.map(\.isOthers) == [false, true, false])
    }

    @Test("the programs' records: what was added since, and whose")
    func records() {
        let record = memstall_eviction(pages: (5, 7, 1))
        #expect(EvictedPages(record) == EvictedPages(anonymous: 5, file: 7, unknown: 1))
        #expect(
            EvictedPages(record).since(EvictedPages(anonymous: 2, file: 7))
                == EvictedPages(anonymous: 3, file: 0, unknown: 1))
        let key = MemStallEvictionKey(
            memstall_eviction_key(evictor: 1, owner: 2, limit: 3, cause: MEMSTALL_KSWAPD.rawValue, padding: 0))
        #expect([key.evictor, key.owner, key.limit] == [1, 2, 3] && key.cause == .kswapd)
        #expect(
            MemStallEvictionKey(memstall_eviction_key(evictor: 1, owner: 2, limit: 3, cause: 99, padding: 0)).cause
                == .other)
    }

    @Test("memory.stat: what is below counts too, which version 1 says by another name")
    func stat() {
        let v2 = RefaultedPages(stat: "anon 5\nworkingset_refault_anon 7\nworkingset_refault_file 8\n", isUnified: true)
        #expect(v2 == RefaultedPages(anonymous: 7, file: 8))
        let v1 = RefaultedPages(
            stat: "workingset_refault_anon 1\ntotal_workingset_refault_anon 9\n", isUnified: false)
        #expect(v1 == RefaultedPages(anonymous: 9, file: nil))
        #expect(RefaultedPages(stat: nil, isUnified: true) == RefaultedPages())
        #expect(RefaultedPages(stat: "workingset_refault_anon x\n", isUnified: true) == RefaultedPages())
    }

    @Test("text keeps within 80 columns; the kernel's thread is named, pages of no known kind are among the first")
    func text() {
        var shown = interval([])
        #expect(MemStallText().evictions(shown).isEmpty)
        shown.evictions = []
        #expect(MemStallText().evictions(shown) == ["no pages were evicted"])
        var one = eviction("/kubepods/besteffort/a", "/kubepods/besteffort/b", EvictedPages(anonymous: 7, file: 2))
        (one.refaultedAnonymous, one.refaultedFile) = (3, 1)
        shown.evictions = [one, eviction(nil, "/x\u{1b}", EvictedPages(unknown: 4), .kswapd)]
        let lines = MemStallText().evictions(shown)
        #expect(
            lines == [
                "WHO EVICTED     WHOSE PAGES     FOR               ANON    FILE    BACK LIMIT",
                "…s/besteffort/a …s/besteffort/b memcg_max            7       2       4 /pod",
                #"kswapd          /x\x1b          kswapd               4       0       - -"#,
            ])
    }
}
