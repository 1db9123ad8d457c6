// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

/// From where on each rule speaks, to the page.
@Suite struct MemInfoHintRules {
    /// A hundredth of it is 80 MB, a twentieth 400, a tenth 800.
    private static let totalKilobytes = 8_192_000

    /// A machine on which these lines have what free memory has not, but for `missing` kB in no counter.
    private func reading(
        _ lines: [String: Int] = [:], missing: Int = 0, shared: SharedMemory = SharedMemory(),
        pools: [HugePagePool] = []
    ) -> MemoryReading {
        let inPools = pools.reduce(0) { $0 + Int($1.pages * $1.pageBytes >> 10) }
        let free = Self.totalKilobytes - lines.values.reduce(0, +) - inPools - missing
        let text = lines.map { "\($0.key): \($0.value) kB\n" }.joined()
        return MemoryReading(
            time: GoldenRecord.time, monotonic: 0,
            meminfo: MeminfoFields("MemTotal: \(Self.totalKilobytes) kB\nMemFree: \(free) kB\n" + text),
            zones: ZoneInfo(""), hugePools: pools, shared: shared,
            machine: MachineFacts(pageBytes: 4096, firstPerCPUBytes: 0))
    }

    private func hints(_ reading: MemoryReading) throws -> [MemInfoHint] {
        MemInfoHint.hints(MemInfoReport(try #require(MemoryLedger(reading))))
    }

    @Test("slab memory that can't be given back: more than a tenth")
    func slab() throws {
        #expect(try hints(reading(["SUnreclaim": 819_200])).isEmpty)
        let hint = try #require(try hints(reading(["SUnreclaim": 819_204])).first)
        #expect(hint.text == "the slab allocator holds 800 MB that it can't give back: swiftmem memleak 10 3")
        #expect(hint.rule == "slab_stands")
    }

    @Test("page tables: more than a twentieth")
    func pageTables() throws {
        #expect(try hints(reading(["PageTables": 409_600])).isEmpty)
        let hint = try #require(try hints(reading(["PageTables": 409_604])).first)
        #expect(hint.text == "page tables hold 400 MB: swiftmem meminfo --processes")
        #expect(hint.rule == "page_tables_stand")
    }

    @Test("huge pages that nobody uses: more than a twentieth, of all sizes together")
    func hugePages() throws {
        func pool(_ free: UInt64, used: UInt64 = 50) -> HugePagePool {
            HugePagePool(pageBytes: 2 << 20, pages: free + used, free: free, reserved: 0)
        }
        #expect(try hints(reading(pools: [pool(200)])).isEmpty)
        let hint = try #require(try hints(reading(pools: [pool(201)])).first)
        #expect(hint.fact == "402 MB are set aside as huge pages that nobody uses")
        #expect(hint.command == "sysctl vm.nr_hugepages" && hint.rule == "huge_pages_unused")
        let small = HugePagePool(pageBytes: 1 << 20, pages: 2, free: 2, reserved: 0)
        #expect(try hints(reading(pools: [pool(200), small])).map(\.rule) == ["huge_pages_unused"])
        // in use they are nobody's waste
        #expect(try hints(reading(pools: [pool(0, used: 400)])).isEmpty)
    }

    @Test("deleted files: more than a hundredth, with the one that has most of it")
    func deleted() throws {
        func memory(_ bytes: UInt64..., holders: Int = 1) -> SharedMemory {
            SharedMemory(
                objects: bytes.enumerated().map {
                    .init(kind: .deleted, name: "/x\($0.offset)", bytes: $0.element, holders: holders, pid: 7)
                })
        }
        #expect(try hints(reading(["Shmem": 81920], shared: memory(80 << 20))).isEmpty)
        let hint = try #require(try hints(reading(["Shmem": 81924], shared: memory(80 << 20 + 4096))).first)
        #expect(hint.text == "deleted files hold 80 MB; process 7 uses /x0, 80 MB" && hint.rule == "deleted_stands")
        let two = try #require(
            try hints(reading(["Shmem": 102_400], shared: memory(60 << 20, 40 << 20, holders: 2))).first)
        #expect(two.fact == "deleted files hold 100 MB; 2 processes use /x0, 60 MB")
        // half is not most of it: the detail with most bytes says what there is
        let halves = try #require(try hints(reading(["Shmem": 102_400], shared: memory(50 << 20, 50 << 20))).first)
        #expect(halves.fact == "deleted files hold 100 MB; /x0, process 7 has 50 MB")
    }

    @Test("what no counter owns: more than a twentieth")
    func remainder() throws {
        #expect(try hints(reading(missing: 409_600)).isEmpty)
        let hint = try #require(try hints(reading(missing: 409_604)).first)
        #expect(hint.rule == "remainder_stands")
        #expect(hint.fact == "400 MB are in no counter: pages that drivers or sockets hold")
        #expect(hint.command == "swiftmem meminfo --unaccounted 10 3, while it grows")
    }

    @Test("a counter that can't be: named, before all others; three hints at most")
    func absurd() throws {
        var wrong = reading(["SUnreclaim": 900_000, "PageTables": 500_000], missing: 500_000)
        wrong.meminfo = MeminfoFields(
            "MemTotal: 8192000 kB\nMemFree: 6000000 kB\nSUnreclaim: 900000 kB\nPageTables: 500000 kB\n"
                + "Percpu: 8192001 kB\n")
        let all = try hints(wrong)
        #expect(all.map(\.rule) == ["absurd_counter", "remainder_stands", "slab_stands"])
        #expect(all[0].text == "the kernel's counter Percpu is larger than the memory, and is not used")
        #expect(all[0].command == nil)
        let ledger = try #require(MemoryLedger(wrong))
        #expect(MemInfoText().lines(MemInfoReport(ledger)).joined().contains("more than the memory there is: Percpu"))
    }

    @Test("what holds shared memory: more than a hundredth, now or grown by")
    func shared() throws {
        func memory(_ kilobytes: Int) -> MemoryReading {
            reading(
                ["Shmem": kilobytes],
                shared: SharedMemory(
                    objects: [
                        .init(kind: .memfd, name: "m", bytes: UInt64(kilobytes) << 10, holders: 1, pid: 3)
                    ]))
        }
        #expect(try hints(memory(81920)).isEmpty)
        #expect(
            try hints(memory(81924)).map(\.text) == [
                "memfds hold 80 MB; process 3 uses m, 80 MB: swiftmem meminfo --files"
            ])
        let first = try #require(MemoryLedger(memory(4)))
        func grown(_ kilobytes: Int) throws -> [String] {
            let now = try #require(MemoryLedger(memory(kilobytes)))
            return MemInfoHint.hints(MemInfoReport(now, before: first, first: first)).map(\.rule)
        }
        // 80 MB more are no growth to speak of, but stand out
        #expect(try grown(81924) == ["shared_stands"])
        #expect(try grown(81928) == ["shared_grows"])
    }
}
