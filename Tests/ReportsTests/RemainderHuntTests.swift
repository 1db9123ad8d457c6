// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct RemainderHunts {
    @Test(
        "whose the pages of a stack are: the innermost function that keeps pages decides",
        arguments: [
            (["alloc_pages_noprof", "pte_alloc_one", "__pte_alloc", "do_anonymous_page"], PageOwner.counted),
            (["__alloc_frozen_pages_noprof", "vma_alloc_folio_noprof", "alloc_anon_folio"], .counted),
            (["alloc_pages", "filemap_alloc_folio_noprof.part.0", "page_cache_ra_unbounded"], .counted),
            (["alloc_pages_noprof", "shmem_alloc_folio", "shmem_get_folio_gfp"], .counted),
            (["alloc_pages_noprof", "allocate_slab", "___slab_alloc", "packet_set_ring"], .counted),
            (["alloc_pages_noprof", "anon_pipe_get_page", "anon_pipe_write", "vfs_write"], .row(.pipes)),
            (["alloc_pages_noprof", "alloc_skb_with_frags", "sock_alloc_send_pskb"], .row(.sockets)),
            (["__alloc_pages", "__get_free_pages", "packet_set_ring.isra.0"], .row(.packetRings)),
            (["alloc_pages_noprof", "ringbuf_map_alloc"], .row(.bpfRings)),
            (["alloc_pages_noprof", "io_region_allocate_pages", "io_create_region"], .none),
            ([], .none),
        ])
    func owner(functions: [String], owner: PageOwner) {
        #expect(PageOwner(functions: functions) == owner)
    }

    /// The remainder grew by `growth` MiB between two ledgers ten seconds apart.
    private func report(growth: Int, rows: Set<MemoryPart> = [.packetRings]) throws -> MemInfoReport {
        var before = MemInfoSample.reading()
        before.heldPages = HeldPages(known: rows)
        let free = 4194304 - growth << 10
        var after = MemInfoSample.reading(
            meminfo: MemInfoSample.meminfo.replacing("MemFree:         4194304", with: "MemFree: \(free)"),
            zoneinfo: "", at: 10)
        after.heldPages = HeldPages(known: rows)
        before.zones = ZoneInfo("")
        let first = try #require(MemoryLedger(before))
        return MemInfoReport(try #require(MemoryLedger(after)), before: first, first: first)
    }

    private static let ring = PageStack(
        bytes: 63 << 20, count: 1008,
        functions: [
            "__alloc_pages_noprof", "get_free_pages_noprof", "packet_set_ring", "packet_setsockopt",
            "do_sock_setsockopt", "__sys_setsockopt", "__x64_sys_setsockopt", "do_syscall_64",
        ])

    @Test("what no row has explains the growth; where a row has it, it does not")
    func explains() throws {
        let file = PageStack(bytes: 1 << 30, count: 9, functions: ["alloc_pages", "filemap_alloc_folio"])
        let unknown = try #require(
            RemainderHunt(try report(growth: 64, rows: []), taken: [file, Self.ring], losses: Losses()))
        #expect(unknown.growthBytes == 64 << 20 && unknown.explainedBytes == 63 << 20 && unknown.seconds == 10)
        #expect(
            unknown.lines(count: 5) == [
                "in 10 s unaccounted grew by 64.0 MB: pages that no row has, taken and not",
                "  freed, explain 98 %",
                " PAGES_MB     TIMES TAKEN BY",
                "     63.0      1008 packet_set_ring < packet_setsockopt < …",
            ])
        let known = try #require(RemainderHunt(try report(growth: 64), taken: [file, Self.ring], losses: Losses()))
        #expect(known.stacks.isEmpty && known.explainedBytes == 0)
    }

    @Test("a remainder that stands still, or shrinks, explains nothing; stacks through the same functions are one")
    func still() throws {
        let stacks = [
            PageStack(bytes: 1 << 20, count: 1, functions: ["alloc_pages_noprof", "driver_fill.cold"]),
            PageStack(bytes: 2 << 20, count: 2, functions: ["alloc_pages_noprof", "driver_fill"]),
        ]
        let hunt = try #require(RemainderHunt(try report(growth: -3), taken: stacks, losses: Losses()))
        #expect(hunt.stacks == [PageStack(bytes: 3 << 20, count: 3, functions: ["driver_fill"])])
        let lines = hunt.lines(count: 5)
        #expect(lines[0].hasPrefix("in 10 s unaccounted did not grow"))
        #expect(lines.last == "      3.0         3 driver_fill")
        #expect(lines.allSatisfy { $0.count < 80 })
        let first = try #require(MemoryLedger(MemInfoSample.reading()))
        #expect(RemainderHunt(MemInfoReport(first), taken: stacks, losses: Losses()) == nil)
    }
}
