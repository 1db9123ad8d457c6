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
    func zoneinfo() {
        let zones = ZoneInfo(MemInfoSample.zoneinfo)
        #expect(zones.zones.map(\.name) == ["DMA", "Normal"])
        #expect(zones.nodeSum("nr_anon_pages") == 125_500)
        #expect(zones.zoneSum("nr_free_pages") == 1_048_576)
        #expect(zones.zoneSum("nr_nothing") == nil && zones.nodeSum("nr_nothing") == nil)
        #expect(zones.perCPUFree == 5000)
        #expect(zones.managed == 2_097_152)
        // each CPU's largest in its node; each CPU's in each zone
        #expect(zones.nodeCounterError == 25)
        #expect(zones.zoneCounterError == 32)
        #expect(zones.cpus == 2)
        let marks: [UInt64?] = zones.zones.last.map { [$0.min, $0.low, $0.high] } ?? []
        #expect(marks == [1000, 1200, 1400])
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
        #expect(ledger?.sum == Int64(8_388_608 << 10))
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
        #expect(bytes(record) == UInt64(4 * 61 * 4096))
        #expect(bytes(record, "0-1,4,6-7\n".trimmed) == UInt64(5 * 61 * 4096))
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
        #expect(ledger[.hugetlb] == UInt64(8 << 20))
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
        #expect(ledger[.sysvShm] == UInt64(40 << 20))
        #expect(ledger[.tmpfs] == UInt64(45 << 20))
        #expect(ledger[.memfd] == UInt64(15 << 20))
        #expect(ledger[.shmemOther] == 0)
        // numbers that no memory has
        let absurd = SharedMemory(
            mounts: [.init(path: "/run", bytes: .max, isPosix: false), .init(path: "/a", bytes: .max, isPosix: true)],
            systemVBytes: .max)
        #expect(try self.ledger(MemInfoSample.reading(shared: absurd)).sum == Int64(8_388_608 << 10))
    }

    @Test("where processes may not be looked at, nothing found is not known; where nothing is left, it is 0")
    func unseen() throws {
        let some = try ledger(MemInfoSample.reading(shared: SharedMemory(unseenProcesses: 3)))
        #expect(some[.memfd] == nil && some[.sharedAnonymous] == nil && some[.sysvShm] == nil)
        #expect(some[.tmpfs] == 0)
        #expect(some[.shmemOther] == UInt64(100 << 20))
        var most = SharedMemory(unseenProcesses: 3)
        most.seenProcesses = 3
        let known = try ledger(MemInfoSample.reading(shared: most))
        #expect(known[.memfd] == 0 && known[.sharedAnonymous] == 0 && known[.shmemOther] == 100 << 20)
        let full = SharedMemory(
            mounts: [.init(path: "/run", bytes: 100 << 20, isPosix: false)], unseenProcesses: 3)
        #expect(try ledger(MemInfoSample.reading(shared: full))[.memfd] == 0)
    }

    @Test("without /proc/zoneinfo by /proc/meminfo alone; without MemTotal by its zones")
    func oneFile() throws {
        let plain = try ledger(MemInfoSample.reading(zoneinfo: ""))
        #expect(plain[.free] == UInt64(4_194_304 << 10))
        #expect(plain[.freePerCPULists] == nil)
        #expect(plain[.anon] == UInt64(502_000 << 10))
        #expect(plain[.file] == UInt64(921_600 << 10))
        #expect(plain[.kernelReclaimable] == UInt64(5000 << 10))
        let zones = try ledger(MemInfoSample.reading(meminfo: ""))
        #expect(zones.totalBytes == UInt64(2_097_152 * 4096))
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
        #expect(ledger.sum == Int64(8_388_608 << 10))
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
        #expect(ledger[.swapCache] == UInt64(600 * 4096))
        #expect(ledger[.lruOther] == (384_460 - known - 600) * 4096)
    }

    @Test("stacks that are in vmalloc's counter, and stacks that are not")
    func stacks() throws {
        var machine = MemInfoSample.machine
        machine.stacksInVmalloc = false
        #expect(try ledger(MemInfoSample.reading(machine: machine))[.vmalloc] == UInt64(20_000 << 10))
        let few = MemInfoSample.meminfo.replacing("VmallocUsed:       20000", with: "VmallocUsed:        5000")
        #expect(try ledger(MemInfoSample.reading(meminfo: few))[.vmalloc] == UInt64(5000 << 10))
    }

    @Test("free memory has CMA's and unaccepted memory in it")
    func free() throws {
        let meminfo = MemInfoSample.meminfo + "CmaTotal: 40960 kB\nCmaFree: 20480 kB\nUnaccepted: 1024 kB\n"
        let ledger = try ledger(MemInfoSample.reading(meminfo: meminfo))
        #expect(ledger[.cma] == 20_480 << 10 && ledger[.unaccepted] == 1024 << 10)
        #expect(ledger[.freeMemory] == UInt64(1_053_576 * 4096))
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
        #expect(try ledger(reading)[.balloon] == UInt64(1000 * 4096))
    }

    @Test("zswap's pool where it is not zsmalloc's")
    func zswap() throws {
        var machine = MemInfoSample.machine
        let text = MemInfoSample.meminfo + "Zswap: 400 kB\nZswapped: 900 kB\n"
        #expect(try ledger(MemInfoSample.reading(meminfo: text, machine: machine))[.zswap] == 0)
        machine.zswapInZsmalloc = false
        #expect(try ledger(MemInfoSample.reading(meminfo: text, machine: machine))[.zswap] == UInt64(400 << 10))
    }
}
