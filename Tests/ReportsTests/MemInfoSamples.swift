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
            .init(kind: .memfd, name: "cache\u{1b}", bytes: 30 << 20, pid: 7),
            .init(kind: .anonymous, name: "/dev/zero", bytes: 8 << 20, pid: 8),
            .init(kind: .deleted, name: "/run/x", bytes: 4 << 20, pid: 9),
            .init(kind: .gpu, name: "i915", bytes: 1 << 20, pid: 9),
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
        guard let first = MemoryLedger(MemInfoSample.reading()),
            let grown = MemoryLedger(
                MemInfoSample.reading(
                    meminfo: MemInfoSample.meminfo.replacing(
                        "VmallocUsed:       20000", with: "VmallocUsed:       30000"),
                    shared: SharedMemory(unseenProcesses: 2), at: 2))
        else { return [] }
        return [MemInfoReport(first), MemInfoReport(grown, before: first, first: first)]
    }

    static let meminfo = GoldenRecord(type: "meminfo") { reports.map(MemInfoJSON.line) }
    static let meminfoDetail = GoldenRecord(type: "meminfo_detail") {
        reports.prefix(1).flatMap { report in report.ledger.details.map { MemInfoJSON.line($0, of: report.ledger) } }
    }
    static let meminfoHint = GoldenRecord(type: "meminfo_hint") {
        [
            MemInfoHint(rule: "shared_stands", fact: "files in /dev/shm hold 900 MB", command: "ls -lS /dev/shm"),
            MemInfoHint(rule: "absurd_counter", fact: "Percpu is larger than the memory", command: nil),
        ].map { $0.json(time) }
    }
}
