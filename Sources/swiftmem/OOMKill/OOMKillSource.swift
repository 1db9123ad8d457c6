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
    /// Victims that were printed and whose memory is not back yet.
    private var pending: Set<UInt32>

    /// - Parameter stack: the kernel stack of the allocation is printed too.
    init(_ session: borrowing Session, _ victims: VictimFilter, stack: Bool) throws {
        let symbols = stack ? try KernelStack() : nil
        ring = try session.probes.object.ringBuffer("events")
        self.victims = victims
        self.symbols = symbols
        pending = []
    }

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        try events.watchRecords(ring.descriptor)
        guard try session.begin(OOMKillText.header) else { return false }
        try rememberCommandLines(session)
        return true
    }

    /// The processes that were there before the trace: of newer ones programs keep the command line.
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
        var events: [OOMKillEvent] = []
        try ring.consume { span in
            if let event = OOMKillEvent(span) { events.append(event) }
        }
        for event in events {
            switch event {
            case .victim(let victim): print(victim, loadavg, &session)
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
        pending.insert(victim.victimPID)
        let frames = symbols.map { symbols in (victim.kernelStack ?? []).map(symbols.name) }
        if session.options.json {
            session.output.print(OOMKillJSON.line(victim, loadavg: loadavg, stack: frames))
        } else {
            for line in OOMKillText.lines(victim, loadavg: loadavg, stack: frames) { session.output.print(line) }
        }
    }

    mutating func close(_ session: inout Session, isLast: Bool) throws {
        guard isLast, session.options.json else { return }
        session.output.print(OOMKillJSON.summary(kills: kills, losses: try session.losses()))
    }
}
