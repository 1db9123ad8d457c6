// SPDX-License-Identifier: Apache-2.0
import SchemaSupport
import Testing
import TraceRecords

@testable import Reports

/// Every type of record as its golden file has it: one line a case of it, everything known first, then what is null.
///
/// `SWIFTMEM_GOLDEN=write` writes the files anew. Scripts/lint-schema holds them against the schemas by another
/// implementation, the order of keys with it.
@Suite struct GoldenRecords {
    @Test("a type's records are those of its file, and as its schema says", arguments: GoldenRecord.all)
    func golden(record: GoldenRecord) throws {
        let lines = record.lines().map { $0.checkedText() }
        try GoldenFile("\(record.type).jsonl").expect(lines)
        #expect(lines.allSatisfy { $0.hasPrefix(#"{"type":"\#(record.type)","#) })
    }

    @Test("each type that this library prints has a golden file")
    func complete() {
        let types = Set(RecordSchema.all.map(\.type).filter { !$0.hasPrefix("doctor_") })
        #expect(Set(GoldenRecord.all.map(\.type)) == types)
    }
}

struct GoldenRecord: CustomTestStringConvertible, Sendable {
    let type: String
    let lines: @Sendable () -> [JSONLine]
    var testDescription: String { type }

    static let all: [GoldenRecord] = [
        GoldenRecord(type: "start") {
            [
                StartJSON.line(
                    time: time, tool: "oomkill", version: "0.1.0", kernel: "6.12.9-amd64", pageBytes: 4096,
                    rungs: [("victims", "tracepoint"), ("context", nil)])
            ]
        },
        GoldenRecord(type: "oomkill") { [true, false].map(oomkill) },
        GoldenRecord(type: "oomkill_end") {
            var record = oomkill_end()
            (record.kind, record.kill_id, record.victim_pid) = (OOMKILL_END.rawValue, 0x1_0000_0000_0001, 20)
            (record.since_kill_ns, record.before_pages, record.after_pages) = (12_340_000, 100, 20)
            record.page_bytes = 4096
            var end = OOMEnd(record: record)
            end.time = time
            var reaped = end
            reaped.reaped = true
            return [OOMKillJSON.line(end), OOMKillJSON.line(reaped)]
        },
        GoldenRecord(type: "oomkill_userspace") { MemoryKillers.userspaceKills() },
        GoldenRecord(type: "oomkill_explanation") { OOMRecordSamples.explanations().map { OOMKillJSON.line($0) } },
        GoldenRecord(type: "oomkill_summary") {
            var counts = OOMCounts()
            for cgroup in ["/a.service", "/b", "/b"] { counts.add(to: CgroupPath(cgroup), byProgram: false) }
            counts.add(to: nil, byProgram: true)
            return [OOMKillJSON.summary(time: time, kills: 3, userspaceKills: 1, counts: counts, losses: losses)]
        },
        GoldenRecord(type: "cachestat") { [true, false].map(cachestat) },
        GoldenRecord(type: "cachetop") {
            CacheTopView.allCases.flatMap { view in
                [true, false].map { CacheTopJSON.line(row(view, isKnown: $0), of: cachetop(view, isKnown: $0)) }
            }
        },
        GoldenRecord(type: "cachetop_interval") {
            [CacheTopJSON.line(cachetop(.process, isKnown: true)), CacheTopJSON.line(cachetop(.file, isKnown: false))]
        },
        GoldenRecord(type: "swapin") { swapin.filter { !$0.text().contains("swapin_interval") } },
        GoldenRecord(type: "swapin_interval") { swapin.filter { $0.text().contains("swapin_interval") } },
        GoldenRecord(type: "shmsnoop") { ShmCall.Kind.allCases.flatMap { kind in [17, -22].map { call(kind, $0) } } },
        GoldenRecord(type: "shmsnoop_summary") { [ShmCallJSON.summary(time: time, calls: 7, losses: losses)] },
        GoldenRecord(type: "shm_segment") { segments.map(ShmSegmentJSON.line) },
        GoldenRecord(type: "memleak") { memleak.filter { !$0.text().contains("memleak_summary") } },
        GoldenRecord(type: "memleak_summary") { memleak.filter { $0.text().contains("memleak_summary") } },
        GoldenRecord(type: "memleak_call") {
            [MemLeakCall.Kind.allocation, .free].map { kind in
                MemLeakCall(
                    kind: kind, time: 0, pid: 5, tid: 6, comm: "app\u{1b}", address: 0x7f00_0000_1000,
                    bytes: kind == .free ? .max : 100, isRecorded: kind == .free
                ).json(at: time)
            }
        },
        GoldenRecord(type: "memleak_hooked") {
            [MemLeakJSON.hooked(file: "/lib/libc.so.6", functions: ["malloc", "free"], missing: ["cfree"])]
        },
        GoldenRecord(type: "memleak_diff") { LeakDiffSample.diff.json(top: 9).dropLast() },
        GoldenRecord(type: "memleak_diff_summary") { LeakDiffSample.diff.json(top: 9).suffix(1) },
        GoldenRecord(type: "memleak_peak") {
            LeakRecordSample(LeakViewOptions(top: 1, keepsPeak: true)).view.peakJSON.suffix(1)
        },
        GoldenRecord(type: "memleak_sampling") {
            [MemLeakJSON.sampling(time: time, overheadPercent: 1.25, rate: 16, isMet: true)]
        },
        .memstall, .memstallCgroup, .memstallCulprit, .memstallEviction, .memstallReclaim,
        .memstallInterval, .memstallEvent, .memstallSummary,
        .meminfo, .meminfoDetail, .meminfoHint, .meminfoProcess, .meminfoCgroup, .meminfoFile,
        .meminfoZone, .meminfoNode, .meminfoUnaccounted,
        .growth, .growthSummary,
        // make new-tool: a tool's golden records go above this line
    ]

    static let time = WallTime(nanoseconds: 1_767_323_045_000_000_006)
    private static let losses = Losses(counts: [0, 5])
    private static let memory = MemoryInfo(meminfo: "Buffers: 2048 kB\nCached: 1048576 kB\n")
    private static let noMemory = MemoryInfo(meminfo: "")

    private static func oomkill(isKnown: Bool) -> JSONLine {
        var record = oomkill_event()
        record.kind = OOMKILL_VICTIM.rawValue
        (record.kill_id, record.trigger_pid, record.trigger_tid) = (0x1_0000_0000_0001, 10, 11)
        (record.victim_pid, record.victim_tid, record.victim_uid, record.oom_score_adj) = (20, 21, 1000, -5)
        record.gfp_mask = 0xcc0
        record.page_bytes = 4096
        if isKnown {
            record.known = 0x3f
            (record.constraint, record.total_pages, record.limit_pages, record.usage_pages) = (3, 6144, 6144, 6143)
            (record.total_vm_pages, record.anon_pages, record.file_pages) = (100, 50, 3)
            (record.shmem_pages, record.swap_pages, record.pgtables_bytes) = (2, 1, 8192)
            record.cmdline_len = put("hog\0--all\0", into: &record.cmdline)
            record.cgroup_len = put("nginx.service\0system.slice\0", into: &record.cgroup)
            record.domain_len = put("system.slice\0", into: &record.domain)
        }
        put("bash", into: &record.trigger_comm)
        put("hog\u{1b}[1m", into: &record.victim_comm)
        var victim = OOMVictim(record: record)
        victim.time = time
        return OOMKillJSON.line(
            victim, loadavg: "0.50 0.66 0.80 3/98 25614", stack: isKnown ? ["oom_kill_process+0x1"] : nil)
    }

    @discardableResult
    private static func put<Field>(_ text: String, into field: inout Field) -> UInt32 {
        withUnsafeMutableBytes(of: &field) { $0.copyBytes(from: text.utf8.prefix($0.count)) }
        return UInt32(text.utf8.count)
    }

    private static let pages = PageCacheInterval(
        readAccess: 4, faultAccess: 2, misses: 3, readahead: 1, dirty: 8, writeAllocated: 2, evicted: 5)

    private static func cachestat(isKnown: Bool) -> JSONLine {
        CacheStatJSON.line(
            CacheStatRow(
                time: time, intervalNanoseconds: 1_000_000_000, pages: isKnown ? pages : PageCacheInterval(),
                readahead: isKnown ? ReadaheadUse(usedPages: 2, droppedPages: 1) : nil,
                sees: .init(accesses: isKnown, evictions: isKnown), memory: isKnown ? memory : noMemory,
                vmstat: isKnown
                    ? VMStat(vmstat: "pgpgin 40\npswpin 1\nnr_dirtied 8\nworkingset_refault_file 2\n", pageBytes: 4096)
                    : VMStat(),
                contradictions: isKnown ? ["they differ"] : nil, losses: losses))
    }

    private static func row(_ view: CacheTopView, isKnown: Bool) -> CacheTopRow {
        let file = CachedFile(major: 8, minor: 1, inode: .max)
        return switch view {
        case .process:
            CacheTopRow(view: view, pid: 7, uid: 0, comm: "app", pages: isKnown ? pages : PageCacheInterval())
        case .file:
            CacheTopRow(view: view, file: isKnown ? file : nil, name: isKnown ? "/f" : "[not known]", pages: pages)
        case .cgroup: CacheTopRow(view: view, name: "/system.slice", pages: pages)
        }
    }

    private static func cachetop(_ view: CacheTopView, isKnown: Bool) -> CacheTopReport {
        CacheTopReport(
            time: time, intervalNanoseconds: 5_000_000_000, view: view, order: CacheTopOrder(),
            rows: [row(view, isKnown: isKnown)], total: isKnown ? pages : PageCacheInterval(), unattributed: pages,
            seesAccesses: isKnown, memory: isKnown ? memory : noMemory, losses: losses)
    }

    private static var swapin: [JSONLine] {
        var counters = SwapInCounters()
        (counters.pages, counters.zswapPages, counters.zeroPages, counters.askedFaults) = (10, 2, 1, 4)
        (counters.swapoutPages, counters.waits, counters.waitNanoseconds) = (3, 4, 9000)
        (counters.longestNanoseconds, counters.comm) = (5000, "app")
        return [true, false].flatMap { isKnown in
            let known = SwapInKnown(sources: isKnown, asked: isKnown, waits: isKnown, swapouts: isKnown)
            let row = SwapInRow(
                pid: 7, counters: counters, cgroup: isKnown ? CgroupPath("/a") : nil, known: known,
                devices: SwapDevices(swaps: "h\n/dev/zram0 partition\n"))
            let interval = SwapInInterval(
                time: time, intervalNanoseconds: 1_000_000_000, rows: isKnown ? [row] : SwapInRow.byCgroup([row]),
                vmstat: SwapVMStat(vmstat: isKnown ? "pswpin 9\nzswpin 2\nswpin_zero 1\npswpout 3\n" : ""),
                histogram: isKnown ? Log2Histogram(counts: [0, 3, 1]) : nil, losses: losses)
            return SwapInJSON.lines(interval)
        }
    }

    private static func call(_ kind: ShmCall.Kind, _ result: Int64) -> JSONLine {
        var event = shm_event()
        (event.pid, event.tid, event.call, event.result) = (7, 8, kind.rawValue, result)
        event.duration_ns = result < 0 ? .max : 1500
        event.flags = result < 0 ? SHM_CALL_COMPAT.rawValue : 0
        event.arguments = (UInt64(UInt32(bitPattern: -2)), 1 << (result < 0 ? 63 : 13), 0o1600, 1, 5, 4096)
        put("app", into: &event.comm)
        let isNamed = [.open, .unlink, .memfd, .truncate, .mmap, .rename].contains(kind)
        let newName = kind == .rename ? "/tmp/shm" : nil
        guard let call = ShmCall(record: event, name: isNamed ? "shm\n" : nil, newName: newName) else {
            return JSONLine()
        }
        return ShmCallJSON.line(call, time: time)
    }

    private static var segments: [ShmSegmentRow] {
        let heading = "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap\n"
        return ShmSegment.parse(
            heading + "-2 3 3600 4096 12 13 1 5 0 6 0 0 0 9 4096 0\n" + "0 4 644 8192 0 0 0 0 0 0 0 0 0 9\n"
        ).map { segment in
            let isKnown = segment.shmid == 3
            return ShmSegmentRow(
                segment: segment, namespace: isKnown ? 4_026_531_839 : nil, creatorComm: isKnown ? "maker" : nil,
                creatorIsAlive: isKnown,
                attached: isKnown ? [.init(pid: 14, comm: "user"), .init(pid: 15, comm: nil)] : [])
        }
    }

    private static var memleak: [JSONLine] {
        let named = MemLeakFrame(
            address: 0xffff_ffff_8100_0010, symbol: "leak", offset: 31, module: "/opt/app",
            moduleOffset: 0x1150, buildID: "0123ab", file: "main.c", line: 9)
        let frames = [named, MemLeakFrame(address: 0x7f00_0000_0001)]
        let left = FileLeftOut(
            file: "/tmp/a\u{85}b", part: "allocators", reason: "refused", functions: ["calloc"], words: "")
        return [false, true].flatMap { isKernels in
            var table = OutstandingTable(youngest: 900, weight: isKernels ? .oneIn(16) : .oneIn(1), keepsBlocks: true)
            table.add(pid: 7, address: 0xffff_8881_0000_1000, bytes: 4096, time: 400, stack: 1)
            table.add(total: AllocationTotal(bytes: 100, count: 1), pid: 8, stack: 2)
            table.add(pid: 7, address: 1, bytes: 8, time: 950, stack: 1)
            let kernel = KernelMemory(kind: .cache, cache: "dentry", falseLeaksPossible: true)
            let stacks = table.top(2, by: .size).enumerated().map { index, top in
                MemLeakStack(
                    pid: isKernels ? nil : top.site.pid, comm: isKernels || index > 0 ? nil : "app",
                    id: StackID(index == 0 ? frames : nil, by: .function), sum: top.sum,
                    trend: index == 0
                        ? StackTrend(
                            verdict: isKernels ? .growing : .leaking, confidence: 0.812,
                            growth: Rate(value: 112.0004, error: 11.2), growthCount: Rate(value: 2, error: 0.25),
                            survival: [0.0101, 0.01, nil])
                        : StackTrend(verdict: .tooEarly),
                    members: index + 1, frames: index == 0 ? frames : nil,
                    kernel: isKernels && index == 0 ? kernel : nil, end: isKernels ? nil : .cut)
            }
            var counters = KernelLeakCounters()
            (counters.bulkFrees, counters.unseenFrees, counters.unseenCaches) = (3, 4, ["dentry"])
            counters.doubtful = [SlabCheck(cache: "kmalloc-256", outstanding: 620, inUse: 1258, growth: 92)]
            let report = MemLeakReport(
                time: time, monotonic: 1000, stacks: stacks, total: table.total, siteCount: 2,
                blocks: isKernels ? [] : table.blocks, counters: MemLeakCounters(), losses: losses,
                sampleRate: isKernels ? 16 : 1, sampleBytes: isKernels ? nil : 524_288,
                kernel: isKernels ? counters : nil, leftOut: FilesLeftOut(files: isKernels ? [] : [left], count: 3),
                younger: table.younger, minimumAge: 500_000_000,
                watch: LeakSummary(stacks.map(\.trend), watched: 61.5, patience: 45))
            return MemLeakJSON.lines(report)
        }
    }
}
