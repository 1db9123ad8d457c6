// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports
internal import SystemLayer
internal import SystemPackage
internal import TraceRecords

/// oomkill's kills, printed as they happen, and how long each victim's memory took to come back.
struct OOMKillSource: ReportSource, ~Copyable {
    private var ring: RingBuffer
    private let victims: VictimFilter
    private let symbols: KernelStack?
    private var kills: UInt64 = 0
    private var userspaceKills: UInt64 = 0
    private var counts: OOMCounts
    /// Victims that were printed and whose memory is not back yet.
    private var pending: Set<UInt32>
    // Spelled out, it has no nil before init: Swift 6.2 takes that for a second value where init throws.
    private var recorder: Optional<Recorder>
    private let explains: Bool
    private let advises: Bool
    /// CLOCK_MONOTONIC; nil: nothing is recorded.
    private var nextSample: UInt64?

    /// - Parameters:
    ///   - stack: the kernel stack of the allocation is printed too.
    ///   - record: the recorder's file; nil: nothing is written down.
    ///   - explains: what led to a kill is printed with it.
    ///   - advises: and what would have spared its victim.
    init(
        _ session: borrowing Session, _ victims: VictimFilter, stack: Bool, record: consuming RingFile?, explains: Bool,
        advises: Bool
    ) throws {
        let symbols = stack ? try KernelStack() : nil
        var recorder: Recorder?
        if let file = record.take() {
            recorder = Recorder(file, try session.probes.object.program("oom_process_iter"), keepsRecent: explains)
        } else if explains {
            recorder = Recorder(nil, try session.probes.object.program("oom_process_iter"), keepsRecent: true)
        }
        ring = try session.probes.object.ringBuffer("events")
        self.victims = victims
        self.symbols = symbols
        nextSample = recorder == nil ? nil : 0
        self.recorder = recorder
        (self.explains, self.advises) = (explains, advises)
        pending = []
        counts = OOMCounts()
    }

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        try events.watchRecords(ring.descriptor)
        guard try session.begin(OOMKillText.header) else { return false }
        try rememberCommandLines(session)
        return true
    }

    /// Command lines of processes older than the trace; those of newer ones are kept by BPF programs.
    private func rememberCommandLines(_ session: borrowing Session) throws {
        let map: BPFMap<UInt32, cmdline> = try session.probes.object.map("cmdlines")
        for pid in ProcFS.processIDs() {
            guard let bytes = ProcessFiles(pid).commandLine, !bytes.isEmpty else { continue }
            var line = cmdline()
            line.length = UInt32(min(bytes.count, Int(CMDLINE_BYTES)))
            withUnsafeMutableBytes(of: &line.bytes) { $0.copyBytes(from: bytes.prefix(Int(CMDLINE_BYTES))) }
            try map.set(pid, to: line, where: .noExist)
        }
    }

    mutating func takeIn(_ session: inout Session) throws {
        let loadavg = readOneLine("/proc/loadavg") ?? "?"
        let isRecording = nextSample != nil
        // with each the record that is written down
        var events: [(OOMKillEvent, [UInt8])] = []
        try ring.consume { span in
            guard let event = OOMKillEvent(span) else { return }
            events.append((event, isRecording ? span.withUnsafeBytes { Array($0) } : []))
        }
        // before anything is printed: a reader of the output may be slow
        for (event, record) in events {
            switch event {
            case .victim(let victim): recorder?.note(kill: victim, record)
            case .end(let end): recorder?.note(end: end, record)
            case .sent: break
            }
        }
        for (event, record) in events {
            switch event {
            case .victim(let victim): print(victim, loadavg, &session)
            case .sent(let kill): take(kill, record, &session)
            case .end(let end):
                guard pending.remove(end.victimPID) != nil else { continue }
                if session.options.json {
                    session.output.print(OOMKillJSON.line(end))
                } else {
                    session.output.print(OOMKillText.line(end))
                }
            }
        }
    }

    private mutating func print(_ victim: OOMVictim, _ loadavg: String, _ session: inout Session) {
        guard victims.matches(victim) else { return }
        var victim = victim
        victim.cmdline = victim.cmdline ?? ProcessFiles(victim.victimPID).commandLine.flatMap(OOMVictim.arguments)
        kills += 1
        counts.add(to: victim.cgroup, byProgram: false)
        pending.insert(victim.victimPID)
        let frames = symbols.map { symbols in (victim.kernelStack ?? []).map(symbols.name) }
        if session.options.json {
            session.output.print(OOMKillJSON.line(victim, loadavg: loadavg, stack: frames))
        } else {
            for line in OOMKillText.lines(victim, loadavg: loadavg, stack: frames) { session.output.print(line) }
        }
        if explains { explain(victim, &session) }
    }

    private mutating func explain(_ victim: OOMVictim, _ session: inout Session) {
        let explanation = OOMExplanation(victim, samples: recorder?.recent(upTo: victim) ?? [])
        if session.options.json {
            session.output.print(OOMKillJSON.line(explanation))
        } else {
            // printed below its kill, so without a heading
            for line in OOMKillText.page(explanation, advice: advises).dropFirst() {
                session.output.print(line.isEmpty ? "" : "  " + line)
            }
            session.output.print("")
        }
    }

    /// Notes and prints a signal that was sent for want of memory, by what its sender and victim are; other signals are
    /// ignored.
    private mutating func take(_ kill: SentKill, _ record: [UInt8], _ session: inout Session) {
        // nothing in /proc is read for the signals of other senders, which are most of them
        guard MemoryKiller.mayBe(kill.sender.comm) else { return }
        let machine = MemoryShortage.now
        guard let killer = MemoryKiller(kill, machine) else { return }
        recorder?.note(sent: kill, machine, record)
        guard victims.matches(kill) else { return }
        var kill = kill
        kill.cmdline = kill.cmdline ?? ProcessFiles(kill.victimPID).commandLine.flatMap(OOMVictim.arguments)
        userspaceKills += 1
        counts.add(to: kill.cgroup, byProgram: true)
        if session.options.json {
            session.output.print(OOMKillJSON.line(kill, by: killer, machine))
        } else {
            for line in OOMKillText.lines(kill, by: killer, machine) { session.output.print(line) }
        }
    }

    var alarmDelay: Double? {
        nextSample.map { due in
            let now = monotonicNow()
            return due > now ? Double(due - now) / 1e9 : 0.001
        }
    }

    mutating func alarm(_ session: inout Session) throws { nextSample = try recorder?.sample() }

    mutating func close(_ session: inout Session, isLast: Bool) throws {
        guard isLast, session.options.json else { return }
        session.output.print(
            OOMKillJSON.summary(
                kills: kills, userspaceKills: userspaceKills, counts: counts, losses: try session.losses()))
    }
}

extension MemoryShortage {
    /// The machine's memory now; nil where /proc/meminfo can't be read.
    fileprivate static var now: MemoryShortage? {
        let fields = MeminfoFields(ProcFS.text("meminfo"))
        guard let total = fields["MemTotal"], let available = fields["MemAvailable"] else { return nil }
        let (some, full) = averages(ProcFS.text("pressure/memory"))
        return MemoryShortage(totalBytes: total, availableBytes: available, some: some, full: full)
    }
}
