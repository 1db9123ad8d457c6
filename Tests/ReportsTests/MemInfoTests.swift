// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct MemInfoFiles {
    @Test("/proc/meminfo: kB become bytes, what is none is left out")
    func meminfo() {
        let fields = MeminfoFields(
            "MemTotal:  10 kB\nHugePages_Total: 4\nMemFree: -3 kB\nBuffers: x kB\nCached:\n"
                + "Active(file): 1 kB\nPercpu: 99999999999999999999 kB\nSlab: 9223372036854775807 kB\nA: 1 kB more\n")
        #expect(fields["MemTotal"] == 10240)
        #expect(fields["Active(file)"] == 1024)
        for name in ["HugePages_Total", "MemFree", "Buffers", "Cached", "Percpu", "Slab", "A", ""] {
            #expect(fields[name] == nil, "\(name)")
        }
    }

    @Test("/proc/zoneinfo: zones, nodes, what CPUs keep")
    func zoneinfo() throws {
        let zones = ZoneInfo(MemInfoSample.zoneinfo)
        #expect(zones.zones.map(\.name) == ["DMA", "Normal"])
        #expect(zones.nodeSum("nr_anon_pages") == 125_500)
        #expect(zones.zoneSum("nr_free_pages") == 1_048_576)
        #expect(zones.zoneSum("nr_nothing") == nil && zones.nodeSum("nr_nothing") == nil)
        #expect(zones.perCPUFree == 5000)
        #expect(zones.managed == 3840 + 2_093_312)
        // each CPU's largest in its node; each CPU's in each zone
        #expect(zones.nodeCounterError == 25)
        #expect(zones.zoneCounterError == 32)
        #expect(zones.cpus == 2)
        let normal = try #require(zones.zones.last)
        #expect((normal.min, normal.low, normal.high) == (1000, 1200, 1400))
    }

    @Test("two nodes sum")
    func nodes() {
        let second = MemInfoSample.zoneinfo.replacing("Node 0", with: "Node 1")
        let zones = ZoneInfo(MemInfoSample.zoneinfo + second)
        #expect(zones.zones.count == 4)
        #expect(zones.nodeSum("nr_anon_pages") == 251_000)
        #expect(zones.nodeCounterError == 50)
        #expect(zones.perCPUFree == 10_000)
    }

    @Test(
        "what no kernel would write does no harm",
        arguments: [
            "", "\n\n", "Node", "Node x, zone\n", "Node 99999999999999999999, zone DMA\n  pages free 1\n",
            "  pages free 7\n", "Node 0, zone DMA\n  per-node stats\n nr_anon_pages 18446744073709551616\n",
            "Node 0, zone DMA\n  pagesets\n cpu: 0\n count: x\n count:\n vm stats threshold: -1\n",
            String(repeating: "Node 0, zone DMA\n managed 18446744073709551615\n", count: 3),
        ])
    func hostile(text: String) {
        let zones = ZoneInfo(text)
        #expect(zones.managed == nil || text.contains("managed"))
        let ledger = MemoryLedger(MemInfoSample.reading(zoneinfo: text))
        #expect(ledger?.sum == 8_388_608 << 10)
    }

    @Test(
        "sizes of huge pages by their directories",
        arguments: [
            ("hugepages-2048kB", UInt64(2 << 20)), ("hugepages-1048576kB", 1 << 30), ("hugepages-kB", nil),
            ("hugepages-0kB", nil), ("hugepages--1kB", nil), ("hugepages-99999999999999999999kB", nil), ("x", nil),
            ("hugepages-9223372036854775807kB", nil),
        ] as [(String, UInt64?)])
    func hugePages(name: String, bytes: UInt64?) { #expect(HugePagePool.pageBytes(directory: name) == bytes) }

    @Test("the kernel's word of its first per-CPU memory")
    func firstChunk() {
        func bytes(_ record: String, _ possible: String = "0-3") -> UInt64? {
            FirstPerCPUChunk.bytes(record: record, possibleCPUs: possible, pageBytes: 4096)
        }
        let record = "6,61,0,-;percpu: Embedded 61 pages/cpu s212992 r8192 d28672 u524288\n"
        #expect(bytes(record) == 4 * 61 * 4096)
        #expect(bytes(record, "0-1,4,6-7\n".trimmed) == 5 * 61 * 4096)
        for possible in ["", "x", "3-1", "0-99999999", "0-1-2", "-"] { #expect(bytes(record, possible) == nil) }
        #expect(bytes("6,1,0,-;percpu: Embedded x pages/cpu") == nil)
        #expect(bytes("6,1,0,-;Linux version 6.1") == nil && bytes("percpu: Embedded 61 pages/cpu") == nil)
        #expect(FirstPerCPUChunk.number(ofRecord: record) == 61)
        #expect(FirstPerCPUChunk.number(ofRecord: "x") == nil)
    }
}

extension String {
    fileprivate var trimmed: String { last == "\n" ? String(dropLast()) : self }
}

extension MemoryLedger {
    /// All leaves and the remainder.
    fileprivate var sum: Int64 {
        MemoryPart.leaves.reduce(unaccountedBytes) { $0 + Int64(self[$1] ?? 0) }
    }
}

@Suite struct MemInfoLedger {
    private func ledger(_ reading: MemoryReading) throws -> MemoryLedger { try #require(MemoryLedger(reading)) }

    @Test("each part, in bytes, overlaps taken out")
    func parts() throws {
        let ledger = try ledger(MemInfoSample.reading())
        let page: UInt64 = 4096, kB: UInt64 = 1024
        #expect(ledger.totalBytes == 8_388_608 * kB)
        #expect(ledger[.free] == 1_048_576 * page)
        #expect(ledger[.freePerCPULists] == 5000 * page)
        #expect(ledger[.freeMemory] == 1_053_576 * page)
        #expect(ledger[.anon] == 125_500 * page)
        #expect(ledger[.buffers] == 10_240 * kB)
        // file pages less buffers and shared memory
        #expect(ledger[.file] == (258_560 - 2560 - 25_600) * page)
        #expect(ledger[.swapCache] == 0)
        // 384000 pages are on lists of the LRU, 384060 are in processes and files
        #expect(ledger[.lruOther] == 0)
        #expect(ledger[.slabReclaimable] == 16_250 * page)
        #expect(ledger[.kernelReclaimable] == 1250 * page)
        #expect(ledger[.kernelStack] == 8000 * kB)
        #expect(ledger[.vmalloc] == 12_000 * kB)
        #expect(ledger[.percpu] == 4000 * kB - 1 << 20)
        #expect(ledger[.hugetlb] == 8 << 20)
        #expect(ledger[.zsmalloc] == 100 * page)
        #expect(ledger[.balloon] == 0)
        #expect(ledger.sum == Int64(ledger.totalBytes))
        // 8 counters of nodes, 2 of zones, a batch of 31 for each of 2 CPUs
        #expect(ledger.errorBytes == (8 * 25 + 2 * 32 + 62) * page)
        #expect(!ledger.isWithinError && ledger.absurdCounters.isEmpty)
    }

    @Test("shared memory by what holds it: a deleted file is no longer its mount's")
    func shared() throws {
        let ledger = try ledger(MemInfoSample.reading())
        let MB: UInt64 = 1 << 20
        #expect(ledger[.tmpfs] == 6 * MB)
        #expect(ledger[.posixShm] == 20 * MB)
        #expect(ledger[.sysvShm] == 5 * MB)
        #expect(ledger[.memfd] == 30 * MB)
        #expect(ledger[.sharedAnonymous] == 8 * MB)
        #expect(ledger[.shmemDeleted] == 4 * MB)
        #expect(ledger[.gpuObjects] == MB)
        #expect(ledger[.shmemOther] == (100 - 74) * MB)
        #expect(ledger[.sharedMemory] == 100 * MB)
    }

    @Test("more than the kernel counts is partly in swap: each less by its share")
    func swapped() throws {
        let shared = SharedMemory(
            mounts: [.init(path: "/run", bytes: 150 << 20, isPosix: false)], systemVBytes: 40 << 20,
            objects: [.init(kind: .memfd, name: "m", bytes: 50 << 20, holders: 1, pid: 1)])
        let ledger = try ledger(MemInfoSample.reading(shared: shared))
        #expect(ledger[.sysvShm] == 40 << 20)
        #expect(ledger[.tmpfs] == 45 << 20)
        #expect(ledger[.memfd] == 15 << 20)
        #expect(ledger[.shmemOther] == 0)
        // numbers that no memory has
        let absurd = SharedMemory(
            mounts: [.init(path: "/run", bytes: .max, isPosix: false), .init(path: "/a", bytes: .max, isPosix: true)],
            systemVBytes: .max)
        #expect(try self.ledger(MemInfoSample.reading(shared: absurd)).sum == 8_388_608 << 10)
    }

    @Test("where processes may not be looked at, nothing found is not known; where nothing is left, it is 0")
    func unseen() throws {
        let some = try ledger(MemInfoSample.reading(shared: SharedMemory(unseenProcesses: 3)))
        #expect(some[.memfd] == nil && some[.sharedAnonymous] == nil && some[.sysvShm] == nil)
        #expect(some[.tmpfs] == 0)
        #expect(some[.shmemOther] == 100 << 20)
        let full = SharedMemory(
            mounts: [.init(path: "/run", bytes: 100 << 20, isPosix: false)], unseenProcesses: 3)
        #expect(try ledger(MemInfoSample.reading(shared: full))[.memfd] == 0)
    }

    @Test("without /proc/zoneinfo by /proc/meminfo alone; without MemTotal by its zones")
    func oneFile() throws {
        let plain = try ledger(MemInfoSample.reading(zoneinfo: ""))
        #expect(plain[.free] == 4_194_304 << 10)
        #expect(plain[.freePerCPULists] == nil)
        #expect(plain[.anon] == 502_000 << 10)
        #expect(plain[.file] == (1_024_000 - 102_400) << 10)
        #expect(plain[.kernelReclaimable] == 5000 << 10)
        let zones = try ledger(MemInfoSample.reading(meminfo: ""))
        #expect(zones.totalBytes == UInt64(3840 + 2_093_312) * 4096)
        #expect(zones[.vmalloc] == nil && zones[.percpu] == nil)
        #expect(zones.sum == Int64(zones.totalBytes))
        #expect(MemoryLedger(MemInfoSample.reading(meminfo: "", zoneinfo: "")) == nil)
    }

    @Test("a counter larger than the memory is named and not used")
    func absurd() throws {
        let text = MemInfoSample.meminfo + "GPUReclaim: 9000000000 kB\n"
        let ledger = try ledger(
            MemInfoSample.reading(
                meminfo: text.replacing("Percpu:             4000", with: "Percpu:    400000000"),
                zoneinfo: MemInfoSample.zoneinfo.replacing(
                    "nr_page_table_pages 2250", with: "nr_page_table_pages 18446744073709551600")))
        #expect(ledger.absurdCounters == ["nr_page_table_pages", "Percpu", "GPUReclaim"])
        #expect(ledger[.pageTables] == nil && ledger[.percpu] == nil && ledger[.gpuReclaimable] == 0)
        #expect(ledger.sum == 8_388_608 << 10)
        #expect(MemInfoHint.hints(MemInfoReport(ledger)).first?.rule == "absurd_counter")
    }

    @Test("the swap cache that nobody maps, and pages that are in no file any more")
    func lists() throws {
        // 1000 pages more on the lists than in processes and files, 600 of them of the swap cache
        let zoneinfo = MemInfoSample.zoneinfo.replacing("nr_active_anon 128000", with: "nr_active_anon 128460")
            .replacing("nr_file_pages 258560", with: "nr_file_pages 258160")
        let meminfo = MemInfoSample.meminfo.replacing("SwapCached:            0", with: "SwapCached:         2400")
        let ledger = try ledger(MemInfoSample.reading(meminfo: meminfo, zoneinfo: zoneinfo))
        let known: UInt64 = 125_500 + (258_160 - 2560 - 600) + 2560
        #expect(ledger[.swapCache] == 600 * 4096)
        #expect(ledger[.lruOther] == (384_460 - known - 600) * 4096)
    }

    @Test("stacks that are in vmalloc's counter, and stacks that are not")
    func stacks() throws {
        var machine = MemInfoSample.machine
        machine.stacksInVmalloc = false
        #expect(try ledger(MemInfoSample.reading(machine: machine))[.vmalloc] == 20_000 << 10)
        let few = MemInfoSample.meminfo.replacing("VmallocUsed:       20000", with: "VmallocUsed:        5000")
        #expect(try ledger(MemInfoSample.reading(meminfo: few))[.vmalloc] == 5000 << 10)
    }

    @Test("free memory has CMA's and unaccepted memory in it")
    func free() throws {
        let meminfo = MemInfoSample.meminfo + "CmaTotal: 40960 kB\nCmaFree: 20480 kB\nUnaccepted: 1024 kB\n"
        let ledger = try ledger(MemInfoSample.reading(meminfo: meminfo))
        #expect(ledger[.cma] == 20_480 << 10 && ledger[.unaccepted] == 1024 << 10)
        #expect(ledger[.freeMemory] == 1_053_576 * 4096)
        let all = MemInfoSample.meminfo + "CmaFree: 8000000 kB\nUnaccepted: 8000000 kB\n"
        let capped = try self.ledger(MemInfoSample.reading(meminfo: all))
        #expect(capped[.free] == 0 && capped[.unaccepted] == 0 && capped.sum == 8_388_608 << 10)
    }

    @Test("a balloon's pages are in MemTotal, or they are not")
    func balloon() throws {
        var reading = MemInfoSample.reading()
        reading.balloonPages = 1000
        #expect(try ledger(reading)[.balloon] == 0)
        reading.machine.balloonInTotal = true
        #expect(try ledger(reading)[.balloon] == 1000 * 4096)
    }

    @Test("zswap's pool where it is not zsmalloc's")
    func zswap() throws {
        var machine = MemInfoSample.machine
        let text = MemInfoSample.meminfo + "Zswap: 400 kB\nZswapped: 900 kB\n"
        #expect(try ledger(MemInfoSample.reading(meminfo: text, machine: machine))[.zswap] == 0)
        machine.zswapInZsmalloc = false
        #expect(try ledger(MemInfoSample.reading(meminfo: text, machine: machine))[.zswap] == 400 << 10)
    }
}

@Suite struct SharedMappings {
    private static let maps = """
        7f0000000000-7f0000100000 rw-s 00000000 00:01 1034                       /memfd:a b (deleted)
        7f0000100000-7f0000200000 rw-s 00100000 00:01 1034                       /memfd:a b (deleted)
        00400000-00401000 rw-s 00000000 00:01 77                                 /SYSV0000002a (deleted)
        7f0000300000-7f0000400000 rw-s 00000000 00:01 5                          /dev/zero (deleted)
        7f0000500000-7f0000600000 rw-s 00000000 00:1a 9                          /run/x (deleted)
        7f0000700000-7f0000800000 r-xp 00000000 fe:00 9                          /usr/bin/x
        7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
        garbage
        7f-7f rw-s 0 00:01 99999999999999999999 /x

        """

    @Test("one for each file of these devices, with its name in map_files")
    func mappings() {
        let found = SharedMapping.of(devices: ["00:01"], in: Array(Self.maps.utf8))
        #expect(found.map(\.inode) == [1034, 77, 5])
        #expect(found.map(\.range) == ["7f0000000000-7f0000100000", "400000-401000", "7f0000300000-7f0000400000"])
        #expect(found.map(\.path) == ["/memfd:a b (deleted)", "/SYSV0000002a (deleted)", "/dev/zero (deleted)"])
        #expect(found.map { SharedMemory.kind(ofHidden: $0.path) } == [.memfd, nil, .anonymous])
        #expect(SharedMapping.of(devices: ["00:01", "00:1a"], in: Array(Self.maps.utf8)).count == 4)
        #expect(SharedMemory.kind(ofHidden: "/i915 (deleted)") == .gpu)
        #expect(SharedMapping.of(devices: [], in: []).isEmpty)
    }

    @Test("mounts, their names unescaped, and what is in their way")
    func mounts() throws {
        let text = """
            22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
            30 22 0:25 / /run\\040x rw shared:2 master:3 - tmpfs tmpfs rw
            31 22 0:26 / /net rw - nfs4 server:/x rw
            32 31 0:27 / /net/tmp rw - tmpfs tmpfs rw
            33 22 0:6 / /dev rw - devtmpfs devtmpfs rw
            34 99 0:7 / /x rw tmpfs

            """
        let mounts = MountedFileSystem.parse(mountinfo: text)
        let byID = Dictionary(uniqueKeysWithValues: mounts.map { ($0.id, $0) })
        #expect(mounts.count == 5)
        let shared = mounts.filter(\.isShared)
        #expect(shared.map(\.path) == ["/run x", "/net/tmp", "/dev"])
        #expect(shared.map { $0.isBehindNetwork(byID, rootAnswers: true) } == [false, true, false])
        #expect(shared.map(\.device) == ["0:25", "0:27", "0:6"])
        // a root that is a server's answers this program, not every container's
        let remote = MountedFileSystem.parse(mountinfo: text.replacing("ext4", with: "9p"))
        let remoteByID = Dictionary(uniqueKeysWithValues: remote.map { ($0.id, $0) })
        let run = try #require(remote.first { $0.path == "/run x" })
        #expect(!run.isBehindNetwork(remoteByID, rootAnswers: true))
        #expect(run.isBehindNetwork(remoteByID, rootAnswers: false))
        // mounts that are each other's parents
        let loop = MountedFileSystem.parse(mountinfo: "1 2 0:1 / /a rw - tmpfs t rw\n2 1 0:2 / /b rw - tmpfs t rw\n")
        #expect(loop[0].isBehindNetwork([1: loop[0], 2: loop[1]], rootAnswers: true))
    }
}

@Suite struct MemInfoReports {
    private func report(_ change: String, to text: String, seconds: UInt64 = 3600) throws -> MemInfoReport {
        let first = try #require(MemoryLedger(MemInfoSample.reading()))
        let meminfo = MemInfoSample.meminfo.replacing(change, with: text)
        let now = try #require(MemoryLedger(MemInfoSample.reading(meminfo: meminfo, at: seconds)))
        return MemInfoReport(now, before: first, first: first)
    }

    @Test("changes since the last report, and the remainder's trend")
    func changes() throws {
        let report = try report("VmallocUsed:       20000", to: "VmallocUsed:      120000")
        #expect(report.change(.vmalloc) == 100_000 << 10)
        #expect(report.change(.anon) == 0)
        #expect(report.unaccountedChange == -100_000 << 10)
        #expect(report.unaccountedBytesPerSecond == Double(-100_000 << 10) / 3600)
        #expect(report.remainderMoves)
        let text = MemInfoText().lines(report)
        #expect(text.contains { $0.hasSuffix("; shrinking by 98 MB/h") })
        let steady = MemInfoText().lines(try self.report("x", to: "y"))
        #expect(steady.contains { $0.hasSuffix("; steady") })
    }

    @Test("the tree as text: aligned, below 80 columns, names from outside spelt out")
    func text() throws {
        let ledger = try #require(MemoryLedger(MemInfoSample.reading()))
        let lines = MemInfoText().lines(MemInfoReport(ledger))
        #expect(lines.first == "MB of 8192.0                                   MB   SHARE")
        #expect(lines.contains("  free lists                               4096.0   50.0%"))
        #expect(lines.contains("      cache\\x1b, process 7                 (30.0)"))
        #expect(lines.contains("  vmalloc                                    11.7    0.1%"))
        #expect(lines.allSatisfy { $0.count < 80 && !$0.unicodeScalars.contains { $0.value < 32 } })
        // what is 0 is not shown
        #expect(!lines.contains { $0.contains("balloon") })
        #expect(!MemInfoText(details: false).lines(MemInfoReport(ledger)).contains { $0.contains("process 7") })
    }

    @Test("hints: silent where nothing stands out, three at most")
    func hints() throws {
        let quiet = MemInfoSample.meminfo.replacing("MemTotal:        8388608", with: "MemTotal:        5900000")
        let ledger = try #require(MemoryLedger(MemInfoSample.reading(meminfo: quiet)))
        #expect(MemInfoHint.hints(MemInfoReport(ledger)).isEmpty)
        // 2 GB are in no counter
        let standing = try #require(MemoryLedger(MemInfoSample.reading()))
        #expect(MemInfoHint.hints(MemInfoReport(standing)).map(\.rule) == ["remainder_stands"])
        let growing = try report("MemTotal:        8388608", to: "MemTotal:        8488608")
        let hint = try #require(MemInfoHint.hints(growing).first)
        #expect(hint.rule == "remainder_grows")
        #expect(hint.fact == "what no counter owns grew by 98 MB, 98 MB/h")
    }

    @Test("who holds the shared memory, and what grew")
    func sharedHints() throws {
        let zoneinfo = MemInfoSample.zoneinfo.replacing("nr_shmem 25600", with: "nr_shmem 230400")
        let shared = SharedMemory(mounts: [.init(path: "/dev/shm", bytes: 880 << 20, isPosix: true)])
        let first = try #require(MemoryLedger(MemInfoSample.reading()))
        let now = try #require(MemoryLedger(MemInfoSample.reading(zoneinfo: zoneinfo, shared: shared, at: 1)))
        let standing = MemInfoHint.hints(MemInfoReport(now)).first { $0.rule == "shared_stands" }
        #expect(standing?.fact == "files in /dev/shm hold 880 MB; /dev/shm has 880 MB")
        #expect(standing?.command == "ls -lS /dev/shm")
        let grown = MemInfoHint.hints(MemInfoReport(now, before: first, first: first))
        #expect(grown.contains { $0.rule == "shared_grows" && $0.fact.hasPrefix("files in /dev/shm grew by 860 MB") })
    }

    @Test("long lines are broken at blanks")
    func wrapping() {
        let lines = wrapped(String(repeating: "word ", count: 40))
        #expect(lines.count == 3 && lines.allSatisfy { $0.count < 80 })
        #expect(lines[1].hasPrefix("  word"))
        #expect(wrapped("").isEmpty)
    }
}

@Suite struct MemInfoHolders {
    @Test("a process by its files, and a thread of the kernel's, which has none")
    func process() throws {
        let process = try #require(MemInfoSample.processes.first)
        #expect(process.rssBytes == 7000 << 10)
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
                "… and 1 processes more",
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

    @Test("who holds most of a part is in its hint")
    func heldBy() throws {
        let zoneinfo = MemInfoSample.zoneinfo.replacing("nr_shmem 25600", with: "nr_shmem 230400")
        let shared = SharedMemory(
            mounts: [.init(path: "/dev/shm", bytes: 880 << 20, isPosix: true)],
            objects: [.init(kind: .posix, name: "/dev/shm/s\u{7}", bytes: 800 << 20, holders: 16, pid: 7)])
        let ledger = try #require(MemoryLedger(MemInfoSample.reading(zoneinfo: zoneinfo, shared: shared)))
        let hint = MemInfoHint.hints(MemInfoReport(ledger)).first { $0.rule == "shared_stands" }
        #expect(hint?.fact == "files in /dev/shm hold 880 MB; 16 processes hold /dev/shm/s\\x07, 800 MB")
        // its mount has it: it is no part of its own
        #expect(ledger[.posixShm] == 880 << 20)
    }
}
