// SPDX-License-Identifier: Apache-2.0
internal import CTracee
internal import Glibc
internal import LibBPF
internal import Reports
internal import Probes
internal import SystemLayer
internal import Unwind

/// One run of memleak: attaches, keeps the ledger of mappings, reports.
struct MemLeakRun: ~Copyable {
    // Destroyed in this order: the probes go before their programs.
    private var allocators: AllocatorProbes
    private var ring: RingBuffer
    var session: Session
    let plan: MemLeakPlan
    var reader: OutstandingReader
    private var ledger: MappingLedger
    private let names: StackNames
    var unwinder: UnwindUploader?
    private let chosen: BPFMap<UInt32, UInt32>
    private let text: MemLeakText
    /// What was there before the start.
    private let found: [Found]

    /// Processes that are traced and have not ended, as far as is known.
    private var living: Set<UInt32> = []
    /// Files looked at, by process where probes are of one process only.
    private var inspected: [UInt32: Set<FileNumber>] = [:]
    /// Whose memory of until then is gone.
    private var dead: [UInt32: UInt64] = [:]
    /// Followed children that have ended: what they left is in the next report, and dropped behind it.
    private var ended: [UInt32: UInt64] = [:]
    /// What was dropped so far with processes that ended or called exec.
    private var gone = OutstandingSum()
    /// Processes whose libraries are not all mapped yet, with the looks still to take.
    var settling: [UInt32: Int] = [:]
    private var commandPID: UInt32 = 0
    private var saidFull = false
    var progress = ProgressLine()
    var progressState = ProgressState()
    /// When the loop's alarm is due, CLOCK_MONOTONIC; nil: it is not set.
    var alarmDue: UInt64?
    private var hooked: [AllocatorFile] = []
    /// So many of them have been shown.
    private var told = 0

    init(_ plan: MemLeakPlan, _ report: ReportOptions) throws(Failure) {
        // Before anything is loaded: a process without an allocator is told at once.
        let found = try Self.search(plan)
        let isKnown = !found.isEmpty && !plan.isWide
        let config = plan.config(
            marksFrees: !isKnown || found.contains { $0.files.contains(where: \.marksFrees) })
        let limit = plan.arguments.maxAllocations?.value
        let stack = plan.arguments.stack
        let mode = MemLeakProbes.mode(config: config, filter: plan.filter, stack: stack, maxAllocations: limit)
        let session = try Session(mode, report)
        let ring = try explained { () throws(BPFError) in try session.probes.object.ringBuffer("events")
        }
        let reader = try explained { () throws(BPFError) in
            try OutstandingReader(session.probes.object)
        }
        let chosen: BPFMap<UInt32, UInt32> = try explained { () throws(BPFError) in
            try session.probes.object.map("processes")
        }
        try explained { () throws(BPFError) in try plan.fillSampleGaps(session.probes.object) }
        unwinder = try explained { () throws(BPFError) in
            try UnwindUploader(session.probes.object, stack, cache: Environment.unwindCache, note: note)
        }
        allocators = AllocatorProbes(session.probes.resolution[MemLeakProbes.Allocators.self] ?? .perf)
        self.ring = ring
        self.session = session
        self.plan = plan
        self.reader = reader
        self.chosen = chosen
        self.found = found
        ledger = MappingLedger(pageSize: UInt64(max(4096, sysconf(Int32(_SC_PAGESIZE)))))
        names = StackNames(lines: plan.arguments.lines)
        text = MemLeakText(
            top: plan.arguments.top.value, showsAddresses: !plan.arguments.combinedOnly,
            showsPIDs: plan.hasSeveralProcesses)
    }

    /// A process and its allocators, with all files looked at.
    private struct Found {
        let pid: UInt32
        let files: [AllocatorFile]
        let inspected: Set<FileNumber>
    }

    private static func search(_ plan: MemLeakPlan) throws(Failure) -> [Found] {
        guard case .processes(let pids) = plan.target else { return [] }
        var found: [Found] = []
        for pid in pids {
            var known: Set<FileNumber> = []
            let files = try plan.search.files(of: pid, except: &known)
            found.append(Found(pid: pid, files: files, inspected: known))
        }
        guard found.contains(where: { !$0.files.isEmpty }) else {
            throw Failure(
                status: Failure.Status.unavailable,
                message: "no allocator found in \(plan.targetText)"
                    + (plan.search.object.map { " (-O \(Printable.text($0)))" } ?? ""),
                remedy:
                    "looked for malloc and free in all its executable mappings; -O and --symbols-prefix say where and what else"
            )
        }
        return found
    }

    private mutating func attachFound() throws(Failure) {
        for process in found {
            try choose(process.pid)
            if plan.isWide {
                try look(at: process.pid)
            } else {
                inspected[process.pid] = process.inspected
                try mapped(process.pid)
                try attach(process.files, process.pid)
            }
        }
    }

    /// The end of a process that was going already when it was chosen is told by no program.
    private mutating func watch(_ loop: inout EventLoop) throws(Failure) {
        for pid in living {
            let descriptor = tracee_open_process(Int32(pid))
            guard descriptor >= 0 else {
                living.remove(pid)
                continue
            }
            // kept to the end of the run
            try loop.watchProcess(descriptor)
        }
    }

    private static func isAlive(_ pid: UInt32) -> Bool {
        ProcessFiles(pid).stat?.isAlive ?? false
    }

    // MARK: attaching

    private mutating func choose(_ pid: UInt32) throws(Failure) {
        living.insert(pid)
        let chosen = chosen
        try explained { () throws(BPFError) in try chosen.set(pid, to: 1) }
    }

    /// Attaches to the allocators of a process that aren't attached to yet.
    private mutating func look(at pid: UInt32) throws(Failure) {
        try mapped(pid)
        let place = plan.isWide ? 0 : pid
        var known = inspected[place] ?? []
        let files: [AllocatorFile]
        do throws(Failure) {
            files = try plan.search.files(of: pid, except: &known)
        } catch {
            return  // it has ended
        }
        inspected[place] = known
        try attach(files, pid)
    }

    /// Gives the programs what a process has mapped, to unwind its stacks by.
    private mutating func mapped(_ pid: UInt32) throws(Failure) {
        do throws(BPFError) { try unwinder?.load(pid) } catch { throw Failure(error) }
    }

    private mutating func attach(_ files: [AllocatorFile], _ pid: UInt32) throws(Failure) {
        // A file with a heap first: mappings must be told from the heap's own.
        for file in files.sorted(by: { $0.hasHeap && !$1.hasHeap }) {
            do throws(BPFError) {
                try allocators.attach(file, pid: plan.isWide ? nil : pid, session.probes.object)
            } catch {
                // it went meanwhile, or unmapped the file
                if error.code == ESRCH || error.code == ENOENT { continue }
                throw Failure(error)
            }
            if !hooked.contains(where: { $0.number == file.number }) { hooked.append(file) }
        }
    }

    // MARK: the trace

    /// Traces until the end; the status of a command that has ended.
    mutating func trace() throws(Failure) -> Int32? {
        let count = plan.arguments.interval.count?.value
        let interval = plan.arguments.interval.interval?.value ?? 5
        var loop = try EventLoop(
            interval: interval, duration: session.options.duration?.value)
        try loop.watchRecords(ring.descriptor)

        switch plan.target {
        case .command(let words): return try traceCommand(words, &loop, count)
        case .processes(let pids):
            try attachFound()
            try watch(&loop)
            // who waits for the word that tracing has begun may end the process at once
            for pid in pids { names.hold(pid) }
            try head()
            for pid in pids { names.load(pid) }
        case .cgroup(let cgroup):
            for pid in cgroup.processes() {
                living.insert(pid)
                try look(at: pid)
                names.hold(pid)
            }
            try head()
            for pid in living { names.load(pid) }
        }
        try follow(&loop, count)
        return nil
    }

    private mutating func head() throws(Failure) {
        _ = try session.begin(MemLeakText.attaching(to: plan.targetText))
        try tellHooked()
        if Environment.recordsNothing { say("SWIFTMEM_EMPTY is set: nothing is recorded") }
        if session.options.verbose, let unwinder { note(unwinder.summary) }
    }

    /// Shows the files that were hooked since the last time.
    private mutating func tellHooked() throws(Failure) {
        guard told < hooked.count else { return }
        progress.clear()
        let files = hooked[told...]
        told = hooked.count
        for file in files {
            guard session.options.json else {
                session.output.print(file.description)
                continue
            }
            var line = JSONLine(type: "memleak_hooked")
            line.add("file", file.shownPath)
            line.add("functions", file.sites.map(\.function))
            line.add("missing", file.missing)
            session.output.print(line)
        }
        _ = try session.output.flush()
    }

    /// Waits for things to happen, and reports, until it is time to end.
    private mutating func follow(_ loop: inout EventLoop, _ count: Int?) throws(Failure) {
        var left = count
        try keepAwake(&loop)
        while try !hasEnded() {
            let wakeup = try loop.next()
            try takeIn()
            try keepAwake(&loop)
            switch wakeup {
            case .outputClosed: return
            case .records, .keys, .resized: break
            case .childChanged: for pid in living where !Self.isAlive(pid) { living.remove(pid) }
            case .alarm: try alarm()
            case .tick:
                for pid in living.sorted().prefix(64) { try look(at: pid) }
                if plan.arguments.trace {
                    try announceLosses()
                } else {
                    try report()
                    left = left.map { $0 - 1 }
                }
                for pid in living.sorted().prefix(16) { names.load(pid) }
            case .reportWanted: try report()
            case .stop:
                try report()
                _ = try session.output.flush()
                return
            }
            guard try session.output.flush(), left != 0 else { return }
        }
    }

    /// When the last of the processes has ended, the last report comes.
    private mutating func hasEnded() throws(Failure) -> Bool {
        guard case .processes = plan.target, living.isEmpty else { return false }
        try report(atExit: true)
        say("\(plan.targetText) has ended")
        _ = try session.output.flush()
        return true
    }

    /// Processes that called exec map their libraries a moment later.
    mutating func settle() throws(Failure) {
        do throws(BPFError) { try unwinder?.rearm() } catch { throw Failure(error) }
        for (pid, looks) in settling {
            try look(at: pid)
            try tellHooked()
            names.load(pid)
            settling[pid] = looks > 1 ? looks - 1 : nil
        }
    }

    // MARK: a command

    private mutating func traceCommand(
        _ words: [String], _ loop: inout EventLoop, _ count: Int?
    ) throws(Failure) -> Int32? {
        var tracee = try Tracee(words)
        let pid = tracee.pid
        try choose(pid)
        commandPID = pid
        if !session.options.json {
            session.output.print("Executing '\(plan.targetText)' and tracing the resulting process.")
        }
        _ = try session.begin(MemLeakText.attaching(to: "pid \(pid)"))
        try start(&tracee)
        try tellHooked()
        if hooked.isEmpty { say("no allocator found in \(plan.targetText): nothing is traced") }

        // it may have ended before its libraries were all mapped
        if let status = try changed(&tracee) { return status }
        var left = count
        try keepAwake(&loop)
        while true {
            let wakeup = try loop.next()
            try takeIn()
            try keepAwake(&loop)
            switch wakeup {
            case .outputClosed: return nil
            case .records, .keys, .resized: break
            case .alarm: try alarm()
            case .childChanged:
                if let status = try changed(&tracee) { return status }
            case .tick:
                try look(at: pid)
                if plan.arguments.trace {
                    try announceLosses()
                } else {
                    try report()
                    left = left.map { $0 - 1 }
                }
            case .reportWanted: try report()
            case .stop:
                // Ctrl-C goes to the command too, which may be ending of it.
                if let status = try changed(&tracee) { return status }
                try report()
                _ = try session.output.flush()
                return nil
            }
            guard try session.output.flush(), left != 0 else { return nil }
        }
    }

    private mutating func start(_ tracee: inout Tracee) throws(Failure) {
        let pid = tracee.pid
        // SAFETY of exclusivity: the closure must not hold self while tracee runs
        var failure: Failure?
        try tracee.start { () throws(Failure) in
            guard failure == nil else { return }
            do throws(Failure) { try look(at: pid) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Takes in what the command did; its status once it is gone and reported.
    private mutating func changed(_ tracee: inout Tracee) throws(Failure) -> Int32? {
        let pid = tracee.pid
        while let change = try tracee.next({ () throws(Failure) in try look(at: pid) }) {
            switch change {
            case .loaded: try tellHooked()
            case .exiting:
                // an exec is told before what was mapped by it is read: it forgets the names
                try takeIn()
                names.load(pid)
                tracee.go()
            case .exited(let status):
                try takeIn()
                try report(atExit: true)
                _ = try session.output.flush()
                return status
            }
        }
        return nil
    }

    // MARK: what the programs tell

    private mutating func takeIn() throws(Failure) {
        var events: [MemLeakEvent] = []
        _ = try explained { () throws(BPFError) in
            try ring.consume { span in
                if let event = MemLeakEvent(span) { events.append(event) }
            }
        }
        for event in events {
            switch event {
            case .mapping(let call): ledger.apply(call)
            case .traced(let call): show(call)
            case .forked(let pid, let parent):
                living.insert(pid)
                names.forked(pid, by: parent)
                try mapped(pid)
            case .unmapped(let pid):
                do throws(BPFError) { try unwinder?.asked(pid) } catch { throw Failure(error) }
            case .execed(let pid, let comm, let time): try execed(pid, comm, time)
            case .exited(let pid, let time): try exited(pid, time)
            }
        }
    }

    private mutating func execed(_ pid: UInt32, _ comm: String, _ time: UInt64) throws(Failure) {
        living.insert(pid)
        try bury(pid, time)
        names.execed(pid)
        do throws(BPFError) { try unwinder?.execed(pid) } catch { throw Failure(error) }
        settling[pid] = 8
        // the program and its loader are mapped by now: a static one, or musl's, is hooked at once
        try look(at: pid)
        if case .processes(let pids) = plan.target, pids.contains(pid) {
            say("process \(pid) (\(Printable.text(comm))) has called exec: what it had allocated is gone")
        }
    }

    private mutating func exited(_ pid: UInt32, _ time: UInt64) throws(Failure) {
        living.remove(pid)
        settling[pid] = nil
        do throws(BPFError) { try unwinder?.forget(pid) } catch { throw Failure(error) }
        switch plan.target {
        case .cgroup:
            // What a process of a long-lived group did not free is no leak of the group's.
            try bury(pid, time)
        case .processes(let pids) where pids.contains(pid): break
        case .command where pid == commandPID: break
        default: ended[pid] = time
        }
    }

    /// What a process had until then is dropped when blocks are read next.
    private mutating func bury(_ pid: UInt32, _ time: UInt64) throws(Failure) {
        dead[pid] = time
        gone.add(ledger.sum(of: pid))
        ledger.forget(pid: pid)
        if plan.arguments.combinedOnly {
            let reader = reader
            try explained { () throws(BPFError) in try reader.dropTotals(of: pid) }
        }
    }

    private mutating func show(_ call: MemLeakCall) {
        if session.options.json {
            session.output.print(call.json)
        } else {
            session.output.print(call.text)
        }
    }

    // MARK: reports

    /// One line on standard error, the progress line out of its way.
    private mutating func say(_ text: String) {
        progress.clear()
        note(text)
    }

    /// - Parameter atExit: the process is gone: what it had is reported whatever its age.
    private mutating func report(atExit: Bool = false) throws(Failure) {
        progress.clear()
        let now = monotonicNow()
        let age = atExit ? 0 : plan.arguments.older.value * 1_000_000
        let rate = plan.arguments.sampleRate.value
        let (table, counters) = try outstanding(
            youngest: now > age ? now - age : 0, keepsBlocks: plan.arguments.showAllocs)
        var stacks: [MemLeakStack] = []
        for (site, sum) in table.top(plan.arguments.top.value, by: plan.arguments.sort.order) {
            var stack: CapturedStack?
            do throws(BPFError) {
                stack = try self.reader.stack(site.stack)
            } catch {
                throw Failure(error)
            }
            stacks.append(
                MemLeakStack(
                    pid: site.pid, sum: sum, frames: stack.map { names.frames($0, pid: site.pid) },
                    end: stack?.end))
        }
        do throws(BPFError) {
            try self.reader.makeRoom(counters)
        } catch {
            throw Failure(error)
        }
        let report = MemLeakReport(
            time: .now, monotonic: now, stacks: stacks, total: table.total, siteCount: table.sites.count,
            blocks: table.blocks, counters: counters, losses: try session.losses(), sampleRate: rate,
            sampleBytes: plan.arguments.sampleBytes?.value,
            gone: gone)
        if session.options.json {
            for line in MemLeakJSON.lines(report) { session.output.print(line) }
        } else {
            for line in text.lines(report) + text.accounting(report) { session.output.print(line) }
        }
        for (pid, time) in ended {
            try bury(pid, time)
            names.ended(pid)
        }
        ended = [:]
        try announceLosses()
        try session.showLosses()
    }

    /// Adds up what is outstanding now.
    ///
    /// - Parameter youngest: allocations made later are left out.
    mutating func outstanding(
        youngest: UInt64, keepsBlocks: Bool = false
    ) throws(Failure) -> (OutstandingTable, MemLeakCounters) {
        var table = OutstandingTable(
            youngest: youngest, weight: plan.sampleWeight, keepsBlocks: keepsBlocks,
            ended: Set(ended.keys))
        let (reader, dead) = (reader, dead)
        let combined = plan.arguments.combinedOnly
        var dropped = OutstandingSum()
        let counters = try explained { () throws(BPFError) in
            if combined {
                try reader.addTotals(to: &table)
                var rest = OutstandingTable(youngest: 0)
                if !dead.isEmpty { dropped = try reader.addBlocks(to: &rest, dead: dead) }
            } else {
                dropped = try reader.addBlocks(to: &table, dead: dead)
            }
            return try reader.readCounters()
        }
        table.add(ledger)
        gone.add(dropped)
        self.dead = [:]
        return (table, counters)
    }

    /// A full map is told once, at once.
    private mutating func announceLosses() throws(Failure) {
        let lost = try session.losses().mapFull
        guard lost > 0, !saidFull else { return }
        saidFull = true
        say(
            "allocations are not recorded any more: the map of outstanding ones is full; --max-allocations makes it larger"
        )
    }
}
