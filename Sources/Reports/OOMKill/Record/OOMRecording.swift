// SPDX-License-Identifier: Apache-2.0

/// What a recorder's file tells: its kills by time, and what it knows of each.
public struct OOMRecording: Sendable {
    /// A kill, by the kernel or by a program.
    public struct Kill: Hashable, Sendable {
        public var moment: OOMMoment
        /// The kernel's; of a program's kill what is known in the same terms.
        public var victim: OOMVictim
        /// nil: the kernel killed it.
        public var program: UserspaceKill?
    }

    public private(set) var kills: [Kill] = []
    public private(set) var samples: [OOMSample] = []
    private var ends: [(moment: OOMMoment, end: OOMEnd)] = []
    private var restarts: [OOMRestart] = []

    /// - Parameter frames: in the order of their numbers.
    public init(_ frames: [OOMFrame]) {
        for frame in frames {
            switch frame {
            case .sample(let sample): samples.append(sample)
            case .kill(let moment, let record):
                guard let victim = OOMVictim(recorded: record, at: moment.time) else { continue }
                kills.append(Kill(moment: moment, victim: victim, program: nil))
            case .sent(let moment, let shortage, let record):
                guard case .sent(var kill)? = OOMKillEvent(record.span.bytes),
                    let killer = MemoryKiller(kill, shortage)
                else { continue }
                kill.time = moment.time
                let program = UserspaceKill(kill: kill, killer: killer, machine: shortage)
                kills.append(Kill(moment: moment, victim: OOMVictim(kill), program: program))
            case .end(let moment, let record):
                guard case .end(let end)? = OOMKillEvent(record.span.bytes) else { continue }
                ends.append((moment, end))
            case .restart(let restart): restarts.append(restart)
            }
        }
    }

    /// What led to a kill, and what came of it.
    ///
    /// - Parameter index: into `kills`.
    public func explanation(of index: Int) -> OOMExplanation {
        let kill = kills[index]
        var explanation = OOMExplanation(kill.victim, samples: samples.upTo(kill.moment), by: kill.program)
        explanation.aftermath = aftermath(of: index)
        return explanation
    }

    private func aftermath(of index: Int) -> OOMAftermath {
        let kill = kills[index]
        var aftermath = OOMAftermath()
        let end = ends.first {
            $0.moment.boot == kill.moment.boot && $0.end.victimPID == kill.victim.victimPID
                && $0.end.killID == kill.victim.killID && kill.program == nil
        }
        aftermath.freedBytes = end?.end.freedBytes
        aftermath.freedAfterSeconds = end.map { Double($0.end.sinceKillNanoseconds) / 1e9 }
        aftermath.restart = restarts.first { $0.kill == kill.moment && $0.killedPID == kill.victim.victimPID }
        // others of the same OOM died with it
        let next = kills[(index + 1)...].first { other in
            (other.program == nil) == (kill.program == nil) && other.victim.victimPID != kill.victim.victimPID
                && (kill.program != nil || other.victim.killID != kill.victim.killID)
                && other.victim.context?.domain == kill.victim.context?.domain
        }
        aftermath.nextKillAfterSeconds = next.flatMap { $0.moment.seconds(since: kill.moment) }
        return aftermath
    }
}

/// A kill by a program, and why it is thought to be for want of memory.
public struct UserspaceKill: Hashable, Sendable {
    public var kill: SentKill
    public var killer: MemoryKiller
    /// The machine's memory at it; nil: not known.
    public var machine: MemoryShortage?

    public init(kill: SentKill, killer: MemoryKiller, machine: MemoryShortage?) {
        (self.kill, self.killer, self.machine) = (kill, killer, machine)
    }
}

/// What came of a kill.
public struct OOMAftermath: Hashable, Sendable {
    /// What the victim held less what it still holds; nil: not seen.
    public var freedBytes: UInt64?
    public var freedAfterSeconds: Double?
    /// The process that took the victim's place; nil: none was seen within a minute.
    public var restart: OOMRestart?
    /// To the next kill for want of the same; nil: none is recorded.
    public var nextKillAfterSeconds: Double?

    public init() {}
}

extension OOMVictim {
    /// A program's victim: nothing of the kernel's choice is known, for it made none.
    init(_ kill: SentKill) {
        self.init(
            time: kill.time, killID: 0, triggerPID: 0, triggerTID: 0, triggerComm: "", victimPID: kill.victimPID,
            victimTID: kill.victimPID, victimComm: kill.victimComm, victimUID: kill.victimUID,
            oomScoreAdj: kill.oomScoreAdj, cmdline: kill.cmdline, signalSent: true, sharesMemory: false,
            cgroup: kill.cgroup, context: nil,
            memory: kill.memory.map {
                Memory(
                    totalVM: 0, anonRSS: $0.anonRSS, fileRSS: $0.fileRSS, shmemRSS: $0.shmemRSS, swap: $0.swap,
                    pageTables: 0)
            }, kernelStack: nil)
    }
}
