// SPDX-License-Identifier: Apache-2.0
@testable import Reports

/// A small run, and what it records: a leak, a one-off, a stack that gets its name late, a process that ends, a lost
/// stack.
struct LeakRecordSample {
    var records: [LeakRecord] = []
    /// What the run showed.
    var reports: [MemLeakReport] = []
    private(set) var view: LeakView
    private var written: [AllocationSite: LeakSite] = [:]
    private let weight: SampleWeight
    private var baseline: UInt64 = 0

    static let second: UInt64 = 1_000_000_000
    static let start: UInt64 = 1000 * second

    init(
        _ options: LeakViewOptions = LeakViewOptions(), weight: SampleWeight = .oneIn(1), isKernel: Bool = false,
        hasBaseline: Bool = false
    ) {
        let run = LeakRun(
            start: Self.start, patience: 9, mayLeak: !isKernel, hasSeveralProcesses: !isKernel, isKernel: isKernel,
            target: isKernel ? "the kernel" : "pid 7, pid 8")
        self.weight = weight
        view = LeakView(run, options, wantsAll: true)
        records = [
            .run(run),
            .began(
                LeakBegin(
                    time: WallTime(nanoseconds: 5), version: "1.2", kernel: "6.18.0", pageBytes: 4096,
                    rungs: [.init(ladder: "allocators", rung: "multi"), .init(ladder: "percpu", rung: nil)],
                    header: ["Attaching to pid 7, pid 8, Ctrl+C to quit."])),
            .hooked(LeakHooked(file: "/lib/libc.so.6", functions: ["malloc"], missing: ["cfree"], text: "hooked")),
        ]
        for step in 1...12 {
            look(step, isKernel)
            if step % 3 == 0 { report(step, isKernel) }
            if step == 5, hasBaseline {
                let time = Self.start + 5 * Self.second
                view.setBaseline(at: time)
                baseline = time
                records.append(.baseline(time))
            }
            if step == 6 {
                records += [.gone(8), .note("process 8 has ended")]
                view.forget(8)
                written = written.filter { $0.key.pid != 8 }
            }
        }
        if isKernel {
            records.append(
                .sampling(
                    LeakSampling(
                        time: WallTime(nanoseconds: 9), overheadPercent: 2.5, rate: 16, before: 4, isMet: true)))
        }
        records.append(.end(isFull: false))
    }

    /// What a captured stack is at a step.
    private static func site(_ captured: AllocationSite, _ step: Int, _ isKernel: Bool) -> LeakSite {
        guard captured.stack != 0 else { return LeakSite() }
        let place = captured.stack * 0x100
        // just-in-time code, named from the seventh second on
        let isNamed = captured.stack != 3 || step > 6
        return LeakSite(
            frames: [
                MemLeakFrame(
                    address: place + 4, symbol: isNamed ? "allocate\(captured.stack)" : nil, offset: 4,
                    module: isNamed ? "/opt/app" : nil, moduleOffset: isNamed ? place + 4 : nil, buildID: "ab01",
                    file: "a.c", line: 7, isInlined: captured.stack == 2),
                MemLeakFrame(
                    // one function, called from two places
                    address: 0x9000 + (captured.stack == 5 ? 8 : 4), symbol: "main",
                    offset: captured.stack == 5 ? 8 : 4, module: "/opt/app",
                    moduleOffset: 0x9000 + (captured.stack == 5 ? 8 : 4), buildID: "ab01"),
            ],
            end: isKernel ? nil : .whole,
            kernel: isKernel ? KernelMemory(kind: .cache, cache: captured.stack == 1 ? "dentry" : nil) : nil)
    }

    private mutating func look(_ step: Int, _ isKernel: Bool) {
        let now = Self.start + UInt64(step) * Self.second
        var table = OutstandingTable(
            youngest: now - 1, weight: weight, grid: view.watch.grid(at: now), baseline: baseline)
        func add(_ pid: UInt32, _ stack: UInt64, _ bytes: UInt64, at tenth: Int) {
            let time = Self.start + UInt64(tenth) * Self.second / 10
            table.add(pid: isKernel ? 0 : pid, address: 0, bytes: bytes, time: time, stack: stack)
        }
        for tenth in 0..<step * 10 where tenth % 2 == 0 { add(7, 1, 33, at: tenth) }
        for index in 0..<20 { add(7, 2, 1000 + UInt64(index), at: 1) }
        for tenth in max(0, step * 10 - 8)..<step * 10 { add(7, 3, 71, at: tenth) }
        add(7, 0, 5, at: 2)
        for tenth in 0..<step * 10 where tenth % 5 == 0 { add(7, tenth % 10 == 0 ? 4 : 5, 11, at: tenth) }
        if step <= 6, !isKernel { add(8, 1, 44, at: 3) }
        var made: [AllocationSite: UInt64] = [:]
        for captured in table.sites.keys { made[captured] = UInt64(step) * 10 }
        made[AllocationSite(pid: 7, stack: 77)] = 3
        let look = LeakLook(
            time: now, wall: WallTime(nanoseconds: 1_767_323_045_000_000_000 + Int64(step)), sums: table.sites,
            made: isKernel ? nil : made, unmatched: UInt64(step))
        var asked: [AllocationSite] = []
        view.take(look) { captured in
            asked.append(captured)
            return Self.site(captured, step, isKernel)
        }
        write(asked, step, isKernel)
        records.append(.look(look))
    }

    private mutating func write(_ asked: [AllocationSite], _ step: Int, _ isKernel: Bool) {
        for captured in asked {
            let site = Self.site(captured, step, isKernel)
            if written[captured] != site { records.append(.site(captured, site)) }
            written[captured] = site
        }
    }

    private mutating func report(_ step: Int, _ isKernel: Bool) {
        let now = Self.start + UInt64(step) * Self.second
        var total = OutstandingSum(), kernel = KernelLeakCounters(), counters = MemLeakCounters()
        (total.bytes, total.count, total.oldestTime) = (4000, 44, now - 9 * Self.second)
        total.add(OutstandingTable(youngest: 0).total)
        kernel.rcuFrees = 4
        kernel.unseenCaches = ["dentry"]
        kernel.doubtful = [SlabCheck(cache: "filp", outstanding: 20, inUse: 3, growth: 2)]
        (counters.allocations, counters.frees, counters.unmatchedFrees) = (100, 60, 3)
        var report = MemLeakReport(
            time: WallTime(nanoseconds: 1_767_323_045_000_000_006), monotonic: now, total: total,
            blocks: [OutstandingBlock(address: 0xffff_8000_0000_0000, bytes: 12)], counters: counters,
            losses: Losses(counts: [1, 0, 2]), sampleRate: 1, sampleBytes: 512, kernel: isKernel ? kernel : nil,
            leftOut: FilesLeftOut(
                files: [FileLeftOut(file: "/x", part: "symbols", reason: "size", functions: ["f"], words: "too large")],
                count: 2),
            minimumAge: 500_000_000)
        if baseline > 0 { report.baseline = total }
        let names: [UInt32: String] = isKernel ? [:] : [7: "app", 8: "b\u{1b}c"]
        var asked: [AllocationSite] = []
        reports.append(
            view.report(report, comm: { names[$0] }) { captured in
                asked.append(captured)
                return Self.site(captured, step, isKernel)
            })
        write(asked, step, isKernel)
        records.append(.report(report, names: names))
    }

    var file: [UInt8] { Self.file(records) }

    /// One record of each kind, and what they need.
    var smallFile: [UInt8] {
        var kinds: Set<UInt8> = []
        let look = records.firstIndex { if case .look = $0 { true } else { false } } ?? 0
        return Self.file(records[...look] + records[look...].filter { kinds.insert($0.kind).inserted && $0.kind != 5 })
    }

    private static func file(_ records: some Sequence<LeakRecord>) -> [UInt8] {
        var writer = LeakRecordWriter()
        var bytes = writer.head()
        for record in records {
            bytes += writer.bytes(record)
            if case .gone(let pid) = record { writer.forget(pid) }
        }
        return bytes
    }

    static func lines(_ reports: [MemLeakReport], _ view: LeakView) -> [String] {
        reports.flatMap { report in
            let (lines, notes) = view.lines(report, forPeople: true)
            return lines + notes + MemLeakJSON.lines(report).map { $0.text() }
        }
    }
}
