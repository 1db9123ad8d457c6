// SPDX-License-Identifier: Apache-2.0

/// What led to a kill, from the samples recorded before it.
public struct OOMExplanation: Hashable, Sendable {
    /// A process that the kernel chose among.
    public struct Candidate: Hashable, Sendable {
        public var pid: UInt32
        public var comm: String
        public var cgroup: CgroupPath?
        /// Points that the kernel compares, in pages; nil: it is never chosen (oom_score_adj -1000).
        public var points: Int64?
        public var oomScoreAdj: Int32
        /// The part of the points that oom_score_adj makes, in pages.
        public var adjustmentPoints: Int64
        public var isChosen: Bool
    }

    /// The domain's usage at one moment.
    public struct Usage: Hashable, Sendable {
        public var time: WallTime
        public var bytes: UInt64
    }

    /// Where the facts come from.
    public enum Source: Hashable, Sendable {
        case recorder
        /// - Parameter words: its words for what ran out.
        case kernelLog(words: String)

        /// As JSON has it.
        public var name: String { self == .recorder ? "recorder" : "kernel_log" }
    }

    public var source = Source.recorder
    public var victim: OOMVictim
    /// The program that killed it; nil: the kernel did.
    public var program: UserspaceKill?
    /// The cgroup that ran out; nil: the machine did, or it is not known what did.
    public var domain: CgroupPath?
    /// The domain's limit without swap; nil: not known.
    public var limitBytes: UInt64?
    /// The domain's usage by time, up to the kill.
    public var usage: [Usage]
    /// Processes that grew, the largest growth first, of which what lies ten seconds further back counts half.
    public var growers: [OOMGrower]
    /// Processes that the kernel chose among, most points first.
    public var candidates: [Candidate]
    /// Seconds from the last sample to the kill; nil: nothing was recorded before it.
    public var sampleAge: Double?
    /// The machine's swap at the last sample.
    public var swapFreeBytes: UInt64?
    public var swapTotalBytes: UInt64?
    /// Stalls by PSI (`some`) in the minute before the kill, as a part of it.
    public var stalledShare: Double?
    /// What would have spared the victim, where there was another to choose.
    public var sparing: [OOMSparing]
    public var nextStep: String
    /// What came of the kill; nil: the moment is too early to tell, or the source has nothing of it.
    public var aftermath: OOMAftermath?

    /// How far back samples are looked at.
    static let window: Int64 = 600_000_000_000

    /// - Parameters:
    ///   - samples: by time; those behind the kill, and more than ten minutes before it, are not looked at.
    ///   - program: that killed it; nil: the kernel did.
    public init(_ victim: OOMVictim, samples: [OOMSample], by program: UserspaceKill? = nil) {
        (self.victim, self.program) = (victim, program)
        let at = victim.time.nanoseconds
        let samples = samples.filter { $0.time.nanoseconds <= at && at - $0.time.nanoseconds <= Self.window }
        let last = samples.last
        sampleAge = last.map { Double(at - $0.time.nanoseconds) / 1e9 }
        (swapFreeBytes, swapTotalBytes) = (last?.swapFreeBytes, last?.swapTotalBytes)
        let context = victim.context
        let isCgroup = context?.constraint == .memoryCgroup
        domain = isCgroup ? context?.domain : nil
        limitBytes = isCgroup ? context?.limitBytes : last?.totalBytes
        usage = Self.usage(samples, victim, isCgroup ? context?.domain : nil)
        stalledShare = Self.stalled(samples)
        growers = Self.growers(samples, victim, isCgroup ? context?.domain : nil)
        let total = Self.totalPages(last, victim)
        candidates = Self.candidates(last, victim, isCgroup ? context?.domain : nil, totalPages: total)
        // a program chooses by rules of its own
        sparing =
            program == nil
            ? OOMSparing.all(
                candidates, growers: growers, domain: domain, totalPages: total, usages: last?.cgroups ?? [])
            : []
        nextStep = ""
        nextStep = OOMAdvice.next(self)
    }

    /// What the domain may use in all, in the kernel's pages.
    private static func totalPages(_ sample: OOMSample?, _ victim: OOMVictim) -> UInt64 {
        if let total = victim.context?.totalPages { return total }
        guard let sample, sample.pageBytes > 0 else { return 0 }
        return (sample.totalBytes &+ sample.swapTotalBytes) / sample.pageBytes
    }

    /// From the kernel log: the memory of each process at the kill, and nothing from before.
    public init(_ kill: LoggedKill) {
        self.init(kill.victim, samples: kill.candidates.map { [$0] } ?? [])
        source = .kernelLog(words: kill.words)
        (swapTotalBytes, swapFreeBytes) = (kill.swap?.total, kill.swap?.free)
        if domain == nil { usage = [] }
        nextStep = OOMAdvice.next(self)
    }

    private static func usage(_ samples: [OOMSample], _ victim: OOMVictim, _ domain: CgroupPath?) -> [Usage] {
        var usage: [Usage] = []
        for sample in samples {
            if let domain {
                guard let bytes = sample.cgroups.first(where: { $0.path == domain })?.usageBytes else { continue }
                usage.append(Usage(time: sample.time, bytes: bytes))
            } else {
                usage.append(
                    Usage(time: sample.time, bytes: sample.totalBytes - min(sample.totalBytes, sample.availableBytes)))
            }
        }
        if domain != nil, let bytes = victim.context?.usageBytes {
            usage.append(Usage(time: victim.time, bytes: bytes))
        }
        return usage
    }

    private static func stalled(_ samples: [OOMSample]) -> Double? {
        guard let last = samples.last, let now = last.stalledNanoseconds else { return nil }
        let first = samples.first { last.time.nanoseconds - $0.time.nanoseconds <= 60_000_000_000 }
        guard let first, let before = first.stalledNanoseconds, now >= before,
            last.time.nanoseconds > first.time.nanoseconds
        else { return nil }
        return Double(now - before) / Double(last.time.nanoseconds - first.time.nanoseconds)
    }

    private static func isCandidate(_ process: OOMProcess, _ sample: OOMSample, _ domain: CgroupPath?) -> Bool {
        guard let domain else { return true }
        return sample.path(of: process)?.isBelow(domain) ?? false
    }

    private static func candidates(
        _ sample: OOMSample?, _ victim: OOMVictim, _ domain: CgroupPath?, totalPages total: UInt64
    ) -> [Candidate] {
        let pageBytes = sample?.pageBytes ?? 4096
        var processes = sample.map { sample in sample.processes.filter { isCandidate($0, sample, domain) } } ?? []
        // the victim as it was at the kill, which is later than the sample
        if let memory = victim.memory {
            let known = processes.firstIndex { $0.pid == victim.victimPID }
            let now = OOMProcess(
                pid: victim.victimPID, startNanoseconds: known.map { processes[$0].startNanoseconds } ?? 0,
                comm: victim.victimComm, oomScoreAdj: victim.oomScoreAdj,
                residentBytes: memory.anonRSS &+ memory.fileRSS &+ memory.shmemRSS, swapBytes: memory.swap,
                // a program's signal does not tell them
                pageTableBytes: max(
                    memory.pageTables, victim.context == nil ? known.map { processes[$0].pageTableBytes } ?? 0 : 0),
                cgroupID: known.map { processes[$0].cgroupID } ?? 0)
            if let known { processes[known] = now } else { processes.append(now) }
        }
        let all = processes.map { process in
            Candidate(
                pid: process.pid, comm: process.comm,
                cgroup: process.pid == victim.victimPID ? victim.cgroup : sample?.path(of: process),
                points: process.points(totalPages: total, pageBytes: pageBytes), oomScoreAdj: process.oomScoreAdj,
                adjustmentPoints: Int64(process.oomScoreAdj).multipliedCapped(Int64(clamping: total / 1000)),
                isChosen: process.pid == victim.victimPID)
        }
        return all.sorted { ($0.points ?? .min, $1.pid) > ($1.points ?? .min, $0.pid) }
    }

    private static func growers(
        _ samples: [OOMSample], _ victim: OOMVictim, _ domain: CgroupPath?
    ) -> [OOMGrower] {
        guard let last = samples.last else { return [] }
        var growers: [OOMGrower] = []
        for process in last.processes where isCandidate(process, last, domain) {
            var points: [OOMGrower.Point] = []
            // one that began while the recorder ran held nothing at its start
            let age = last.bootNanoseconds - min(last.bootNanoseconds, process.startNanoseconds)
            let start = last.time.nanoseconds - Int64(clamping: age)
            if let first = samples.first, start > first.time.nanoseconds {
                points.append(.init(time: WallTime(nanoseconds: start), bytes: 0, isBetween: true))
            }
            for sample in samples {
                if let then = sample.processes.first(where: {
                    $0.pid == process.pid && $0.startNanoseconds == process.startNanoseconds
                }) {
                    points.append(.init(time: sample.time, bytes: then.bytes))
                }
            }
            if process.pid == victim.victimPID, let memory = victim.memory {
                let bytes = memory.anonRSS &+ memory.fileRSS &+ memory.shmemRSS &+ memory.swap
                points.append(.init(time: victim.time, bytes: bytes, isBetween: true))
            }
            guard var grower = OOMGrower.growth(points) else { continue }
            (grower.pid, grower.comm) = (process.pid, process.comm)
            grower.cgroup = last.path(of: process)
            growers.append(grower)
        }
        return growers.sorted { ($0.weight, $0.grownBytes) > ($1.weight, $1.grownBytes) }
    }
}
