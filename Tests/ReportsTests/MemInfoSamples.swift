// SPDX-License-Identifier: Apache-2.0
@testable import Reports

/// What a kernel's files say of a machine of 8 GiB.
enum MemInfoSample {
    static let meminfo = """
        MemTotal:        8388608 kB
        MemFree:         4194304 kB
        Buffers:           10240 kB
        Cached:          1024000 kB
        SwapCached:            0 kB
        Active(anon):     512000 kB
        Inactive(anon):   102400 kB
        Active(file):     409600 kB
        Inactive(file):   512000 kB
        Unevictable:           0 kB
        AnonPages:        502000 kB
        Mapped:            20000 kB
        Shmem:            102400 kB
        KReclaimable:      70000 kB
        SReclaimable:      65000 kB
        SUnreclaim:        30000 kB
        KernelStack:        8000 kB
        PageTables:         9000 kB
        SecPageTables:       100 kB
        VmallocUsed:       20000 kB
        Percpu:             4000 kB
        AnonHugePages:      2048 kB
        HugePages_Total:       4
        Hugetlb:            8192 kB

        """

    static let zoneinfo = """
        Node 0, zone      DMA
          per-node stats
              nr_inactive_anon 25600
              nr_active_anon 128000
              nr_inactive_file 128000
              nr_active_file 102400
              nr_unevictable 0
              nr_slab_reclaimable 16250
              nr_slab_unreclaimable 7500
              nr_anon_pages 125500
              nr_file_pages 258560
              nr_shmem 25600
              nr_kernel_misc_reclaimable 1250
              nr_page_table_pages 2250
              nr_sec_page_table_pages 25
          pages free     1000
                boost    0
                min      10
                low      12
                high     14
                spanned  4095
                present  3998
                managed  3840
                cma      0
                protection: (0, 3019, 24090)
              nr_free_pages 1000
              nr_zspages   0
          pagesets
            cpu: 0
                      count:    7
                      high:     0
                      batch:    1
          vm stats threshold: 4
            cpu: 1
                      count:    3
                      high:     0
                      batch:    1
          vm stats threshold: 5
          node_unreclaimable:  0
          start_pfn:           1
        Node 0, zone   Normal
          pages free     1047576
                min      1000
                low      1200
                high     1400
                spanned  2093312
                present  2100000
                managed  2093312
              nr_free_pages 1047576
              nr_zspages   100
          pagesets
            cpu: 0
                      count:    2500
          vm stats threshold: 20
            cpu: 1
                      count:    2490
          vm stats threshold: 3
        Node 0, zone  Movable
          pages free     0
                min      32
                spanned  0
                present  0
                managed  0

        """

    static let machine = MachineFacts(pageBytes: 4096, firstPerCPUBytes: 1 << 20)

    static let shared = SharedMemory(
        mounts: [
            .init(path: "/run", bytes: 10 << 20, isPosix: false),
            .init(path: "/dev/shm", bytes: 20 << 20, isPosix: true),
        ],
        systemVBytes: 5 << 20,
        objects: [
            .init(kind: .memfd, name: "cache\u{1b}", bytes: 30 << 20, holders: 1, pid: 7),
            .init(kind: .anonymous, name: "/dev/zero", bytes: 8 << 20, holders: 1, pid: 8),
            .init(kind: .deleted, name: "/run/x", bytes: 4 << 20, holders: 1, pid: 9),
            .init(kind: .gpu, name: "i915", bytes: 1 << 20, holders: 1, pid: 9),
        ])

    static func reading(
        meminfo: String = meminfo, zoneinfo: String = zoneinfo, shared: SharedMemory = shared, at seconds: UInt64 = 0,
        machine: MachineFacts = machine
    ) -> MemoryReading {
        MemoryReading(
            time: GoldenRecord.time, monotonic: seconds * 1_000_000_000, meminfo: MeminfoFields(meminfo),
            zones: ZoneInfo(zoneinfo),
            hugePools: [HugePagePool(pageBytes: 2 << 20, pages: 4, free: 1, reserved: 1)], shared: shared,
            machine: machine)
    }
}

extension GoldenRecord {
    private static var reports: [MemInfoReport] {
        var known = MemInfoSample.reading()
        known.heldPages = HeldPages(known: [.pipes, .sockets, .packetRings, .perfRings, .bpfRings])
        guard let first = MemoryLedger(known),
            let grown = MemoryLedger(
                MemInfoSample.reading(
                    meminfo: MemInfoSample.meminfo.replacing(
                        "VmallocUsed:       20000", with: "VmallocUsed:       30000"),
                    shared: SharedMemory(unseenProcesses: 2), at: 2))
        else { return [] }
        return [MemInfoReport(first), MemInfoReport(grown, before: first, first: first)]
    }

    static let meminfo = GoldenRecord(type: "meminfo") { reports.map(MemInfoJSON.line) }
    static let meminfoUnaccounted = GoldenRecord(type: "meminfo_unaccounted") {
        reports.compactMap { report in
            RemainderHunt(
                report,
                taken: [
                    PageStack(bytes: 1 << 26, count: 1024, functions: ["alloc_pages_noprof", "io_pin", "x"]),
                    PageStack(bytes: 4096, count: 1, functions: []),
                    PageStack(bytes: 1 << 30, count: 1, functions: ["alloc_pages_noprof", "do_anonymous_page"]),
                ], losses: Losses(counts: [1, 2, 3]))?.json(count: 100)
        }
    }
    static let meminfoDetail = GoldenRecord(type: "meminfo_detail") {
        reports.prefix(1).flatMap { report in report.ledger.details.map { MemInfoJSON.line($0, of: report.ledger) } }
    }
    static let meminfoHint = GoldenRecord(type: "meminfo_hint") {
        [
            MemInfoHint(rule: "shared_stands", fact: "files in /dev/shm hold 900 MB", command: "ls -lS /dev/shm"),
            MemInfoHint(rule: "absurd_counter", fact: "Percpu is larger than the memory", command: nil),
        ].map { $0.json(time) }
    }

    static let meminfoProcess = GoldenRecord(type: "meminfo_process") {
        MemInfoSample.processes.map { MemInfoJSON.line($0, time) }
    }
    static let meminfoCgroup = GoldenRecord(type: "meminfo_cgroup") {
        MemInfoSample.cgroups.map { MemInfoJSON.line($0, time) }
    }
    static let meminfoZone = GoldenRecord(type: "meminfo_zone") {
        let unmarked = "Node 1, zone Device\n managed 1\n present 1\n"
        return ZoneReport.json(ZoneInfo(MemInfoSample.zoneinfo + unmarked), pageBytes: 4096, time)
    }
    static let meminfoNode = GoldenRecord(type: "meminfo_node") {
        let bare = "Node 1, zone Normal\n managed 1\n present 1\n"
        return ZoneReport.nodeJSON(ZoneInfo(MemInfoSample.zoneinfo + bare), pageBytes: 4096, time)
    }
    static let meminfoFile = GoldenRecord(type: "meminfo_file") {
        let forgotten = SharedMemory.Object(kind: .posix, name: "/dev/shm/x", bytes: 2 << 20, holders: 0, pid: nil)
        return [MemInfoSample.shared.objects[0], forgotten].map { MemInfoJSON.line($0, time) }
    }
}

extension MemInfoSample {
    static let status = """
        Name:\ta\\nRssAnon:\t9 kB
        Uid:\t1000\t1001\t1000\t1000
        VmRSS:\t   7000 kB
        RssAnon:\t   4000 kB
        RssFile:\t   2000 kB
        RssShmem:\t   1000 kB
        VmPTE:\t     60 kB
        VmSwap:\t    500 kB
        Threads:\t3

        """

    static let rollup = """
        55d0c0000000-7ffd00000000 ---p 00000000 00:00 0                          [rollup]
        Rss:                7000 kB
        Pss:                5000 kB
        Private_Clean:       100 kB
        Private_Dirty:      4000 kB

        """

    static var processes: [ProcessMemory] {
        let bare = "RssAnon: 1 kB\nRssFile: 0 kB\nRssShmem: 0 kB\n"
        var whole = ProcessMemory(pid: 7, comm: "app\u{1b}", uid: 1001, status: Array(status.utf8))
        whole?.add(smapsRollup: Array(rollup.utf8))
        return [whole, ProcessMemory(pid: 8, comm: "b", uid: nil, status: Array(bare.utf8))].compactMap { $0 }
    }

    static var cgroups: [CgroupMemory] {
        let unified = [
            "memory.current": "104857600\n", "memory.max": "max\n", "memory.high": "209715200\n",
            "memory.stat":
                "anon 1048576\nfile 3145728\nshmem 1048576\nactive_file 524288\ninactive_file 1572864\nslab 4096\n"
                + "sock 8192\npercpu 160\n",
            "cgroup.stat": "nr_descendants 3\nnr_dying_descendants 2\n",
        ]
        let legacy = [
            "memory.usage_in_bytes": "4096\n", "memory.limit_in_bytes": "9223372036854771712\n",
            "memory.stat": "cache 9\ntotal_cache 8192\ntotal_rss 4096\ntotal_shmem 4096\n",
        ]
        return [
            CgroupMemory(path: CgroupPath("/system.slice/a.service"), unified: true) {
                unified[$0].map { Array($0.utf8) }
            },
            CgroupMemory(path: CgroupPath("/b"), unified: false) { legacy[$0].map { Array($0.utf8) } },
            CgroupMemory(path: CgroupPath("/"), unified: true) { _ in nil },
        ]
    }
}
