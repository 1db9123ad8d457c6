// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct MemInfoHolders {
    @Test("a process by its files, and a thread of the kernel's, which has none")
    func process() throws {
        let process = try #require(MemInfoSample.processes.first)
        #expect(process.rssBytes == 7000 << 10 && process.exactRSSBytes == 7000 << 10)
        #expect((process.anonBytes, process.fileBytes) == (4000 << 10, 2000 << 10))
        #expect(process.shmemBytes == 1000 << 10 && process.swapBytes == 500 << 10)
        #expect(process.pageTablesBytes == 60 << 10 && process.threads == 3)
        #expect(process.pssBytes == 5000 << 10 && process.ussBytes == 4100 << 10)
        let bare = try #require(MemInfoSample.processes.last)
        #expect(bare.pssBytes == nil && bare.ussBytes == nil && bare.swapBytes == nil)
        #expect(ProcessMemory(pid: 2, comm: "kthreadd", uid: 0, status: Array("Name:\tk\nThreads:\t1\n".utf8)) == nil)
        for text in ["", "RssAnon: 1 kB", "RssAnon: -1 kB\nRssFile: 1 kB\nRssShmem: 1 kB", "\u{0}"] {
            #expect(ProcessMemory(pid: 2, comm: "x", uid: 0, status: Array(text.utf8)) == nil)
        }
    }

    @Test("time for shares: none where the next would take longer than is left")
    func budget() {
        var budget = RollupBudget(nanoseconds: 100_000_000)
        #expect(budget.allows(1 << 30))
        #expect(!budget.allows(200 << 30) && !budget.allows(.max))
        budget.spend(60_000_000, on: 1 << 30)
        // as slow as that one, another does not fit
        #expect(!budget.allows(1 << 30))
        #expect(budget.allows(100 << 20))
        budget.spend(.max, on: 0)
        #expect(budget.left == 0 && !budget.allows(0))
    }

    @Test("cgroups of both versions; shared memory is no file")
    func cgroups() {
        let unified = MemInfoSample.cgroups[0], legacy = MemInfoSample.cgroups[1], root = MemInfoSample.cgroups[2]
        #expect(unified.currentBytes == 100 << 20 && unified.maxBytes == nil && unified.highBytes == 200 << 20)
        #expect(unified.fileBytes == 2 << 20 && unified.shmemBytes == 1 << 20 && unified.slabBytes == 4096)
        #expect(unified.dying == 2)
        #expect(legacy.currentBytes == 4096 && legacy.maxBytes == nil && legacy.anonBytes == 4096)
        #expect(legacy.fileBytes == 4096 && legacy.dying == nil && legacy.slabBytes == nil)
        #expect(root.currentBytes == nil && root.anonBytes == nil)
    }

    @Test("tables: below 80 columns, what is not known a dash, names from outside spelt out")
    func tables() {
        let processes = MemInfoTables.lines(MemInfoSample.processes, count: 1)
        #expect(
            processes == [
                "PID     COMM              RSS_MB      PSS      USS     SWAP    SHMEM   TABLES",
                "7       app\\x1b              6.8      4.9      4.0      0.5      1.0      0.1",
                "… and 1 more",
            ])
        let cgroups = MemInfoTables.lines(MemInfoSample.cgroups, count: 3)
        #expect(cgroups[1] == "    100.0      1.0      2.0      1.0      0.0        - unit a.service")
        #expect(cgroups[3] == "        -        -        -        -        -        - /")
        let long = SharedMemory.Object(
            kind: .posix, name: "/dev/shm/" + String(repeating: "n\n", count: 40), bytes: 400 << 20, holders: 16, pid: 7
        )
        let files = MemInfoTables.lines([long], count: 5)
        #expect(files[1].hasPrefix("    400.0 16 processes     posix_shm        …"))
        #expect((processes + cgroups + files).allSatisfy { $0.count < 80 && !$0.contains("\n") })
    }

    @Test(
        "a zone is above high, in kswapd's range, or below min",
        arguments: [
            (UInt64(15), ZoneReport.State.aboveHigh), (14, .aboveLow), (13, .aboveLow), (12, .aboveMin),
            (11, .aboveMin),
            (10, .belowMin), (0, .belowMin),
        ])
    func zoneState(free: UInt64, state: ZoneReport.State) throws {
        let text = MemInfoSample.zoneinfo.replacing("pages free     1000", with: "pages free     \(free)")
        let zone = try #require(ZoneInfo(text).zones.first)
        #expect(ZoneReport.state(zone) == state)
    }

    @Test("zones and nodes as text")
    func zones() {
        let zones = ZoneInfo(MemInfoSample.zoneinfo)
        let lines = ZoneReport.lines(zones, pageBytes: 4096)
        #expect(lines[0] == "NODE ZONE      ZONE_MB     FREE    CPUS'      MIN      LOW     HIGH STATE")
        #expect(lines[1] == "0    DMA          15.0      3.9      0.0      0.0      0.0      0.1 above high")
        #expect(lines[2] == "0    Normal     8177.0   4092.1     19.5      3.9      4.7      5.5 above high")
        let nodes = ZoneReport.nodeLines(zones, pageBytes: 4096)
        #expect(nodes[1] == "0               8192.0   4096.0    490.2    910.0    100.0     92.8")
    }

    @Test("who holds most of a part is in its hint")
    func heldBy() throws {
        let zoneinfo = MemInfoSample.zoneinfo.replacing("nr_shmem 25600", with: "nr_shmem 230400")
        let shared = SharedMemory(
            mounts: [.init(path: "/dev/shm", bytes: 880 << 20, isPosix: true)],
            objects: [.init(kind: .posix, name: "/dev/shm/s\u{7}", bytes: 800 << 20, holders: 16, pid: 7)])
        let ledger = try #require(MemoryLedger(MemInfoSample.reading(zoneinfo: zoneinfo, shared: shared)))
        let hint = MemInfoHint.hints(MemInfoReport(ledger)).first { $0.rule == "shared_stands" }
        #expect(hint?.fact == "files in /dev/shm hold 880 MB; 16 processes use /dev/shm/s\\x07, 800 MB")
        // its mount has it: it is no part of its own
        #expect(ledger[.posixShm] == UInt64(880 << 20))
    }

    @Test("each kind of shared memory that stands out has its line, the larger first, two at most")
    func incident() throws {
        let zoneinfo = MemInfoSample.zoneinfo.replacing("nr_shmem 25600", with: "nr_shmem 230400")
            .replacing("nr_file_pages 258560", with: "nr_file_pages 463360")
        let shared = SharedMemory(
            mounts: [
                .init(path: "/dev/shm", bytes: 300 << 20, isPosix: true),
                .init(path: "/srv/cache", bytes: 400 << 20, isPosix: false),
            ],
            systemVBytes: 200 << 20,
            objects: [.init(kind: .tmpfs, name: "/srv/cache/db", bytes: 399 << 20, holders: 0, pid: nil)])
        let ledger = try #require(MemoryLedger(MemInfoSample.reading(zoneinfo: zoneinfo, shared: shared)))
        let facts = MemInfoHint.hints(MemInfoReport(ledger)).filter { $0.rule == "shared_stands" }.map(\.fact)
        #expect(
            facts == [
                "files in tmpfs mounts hold 400 MB; nobody uses /srv/cache/db, 399 MB",
                "files in /dev/shm hold 300 MB; /dev/shm has 300 MB",
            ])
    }
}
