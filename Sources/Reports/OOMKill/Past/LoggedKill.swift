// SPDX-License-Identifier: Apache-2.0

/// A kill as the kernel log has it (mm/oom_kill.c, `dump_header`, `dump_tasks` and `__oom_kill_process`).
public struct LoggedKill: Hashable, Sendable {
    public var victim: OOMVictim
    /// The processes that the kernel chose among; nil: the log has no list of them, for it leaves out the reports of kills
    /// that follow one another within seconds.
    public var candidates: OOMSample?
    /// The machine's swap, where the report is of the whole machine.
    public var swap: (total: UInt64, free: UInt64)? {
        guard let swapTotal, let swapFree else { return nil }
        return (swapTotal, swapFree)
    }
    /// The log's words for what ran out, `Memory cgroup out of memory`.
    public var words: String
    var swapTotal: UInt64?
    var swapFree: UInt64?

    /// All kills of a log, in its order.
    ///
    /// - Parameters:
    ///   - lines: by time.
    ///   - boot: when the machine was booted, for stamps that are seconds since then; nil: not known, and kills with such
    ///     stamps are left out.
    ///   - pageBytes: the kernel's pages, where the log does not show it.
    public static func all(
        _ lines: some Sequence<KernelLogLine>, boot: WallTime?, pageBytes: UInt64
    ) -> [LoggedKill] {
        var report = OOMReport()
        var kills: [LoggedKill] = []
        for line in lines {
            if line.message.contains(" invoked oom-killer: ") { report = OOMReport() }
            if let killed = KilledLine(line.message) {
                guard let time = line.time(boot: boot) else { continue }
                kills.append(LoggedKill(killed, report, time, pageBytes))
                // other processes of its group belong to the same report; any other kill has its own, or none
                if report.isOfGroup { report.hasVictim = true } else { report = OOMReport() }
            } else {
                report.take(line.message)
            }
        }
        return kills
    }

    private init(_ killed: KilledLine, _ report: OOMReport, _ time: WallTime, _ pageBytes: UInt64) {
        words = killed.words
        let isOfReport = report.victimPID == killed.pid || report.hasVictim
        let report = isOfReport ? report : OOMReport()
        let pageBytes = report.pageBytes(killed) ?? pageBytes
        (swapTotal, swapFree) = (report.swapTotalBytes, report.swapFreeBytes)
        let domain = report.constraint == .memoryCgroup ? report.domain.map { CgroupPath($0) } : nil
        let total = report.totalPages(pageBytes)
        var context: OOMVictim.Context?
        if let constraint = report.constraint, let mask = report.gfpMask, let order = report.order {
            context = OOMVictim.Context(
                constraint: constraint, gfp: GFPFlags(mask: mask), order: order, totalPages: total ?? 0, domain: domain,
                limitBytes: report.limitBytes, usageBytes: report.usageBytes)
        }
        let own = report.processes.first { $0.pid == killed.pid }
        victim = OOMVictim(
            time: time, killID: UInt64(bitPattern: time.nanoseconds), triggerPID: report.triggerPID ?? 0,
            triggerTID: report.triggerPID ?? 0, triggerComm: report.triggerComm ?? "", victimPID: killed.pid,
            victimTID: killed.pid, victimComm: killed.comm, victimUID: killed.uid ?? 0,
            oomScoreAdj: killed.oomScoreAdj ?? own?.oomScoreAdj ?? 0, cmdline: nil, signalSent: true,
            sharesMemory: false,
            cgroup: report.victimPID == killed.pid ? report.cgroup.map { CgroupPath($0) } : nil, context: context,
            memory: killed.memory, kernelStack: nil)
        // points without the domain's size would be too few
        guard !report.processes.isEmpty, total != nil else { return }
        // the line of the kill has no swap
        if let own { victim.memory?.swap = own.swapPages &* pageBytes }
        candidates = OOMSample(
            time: time, boot: 0, bootNanoseconds: 0, pageBytes: pageBytes,
            totalBytes: report.constraint == .memoryCgroup ? 0 : (report.machinePages ?? 0) &* pageBytes,
            availableBytes: 0, swapTotalBytes: 0, swapFreeBytes: 0, stalledNanoseconds: nil,
            cgroups: domain.map { [OOMCgroup(id: 1, path: $0, usageBytes: nil, limitBytes: nil)] } ?? [],
            processes: report.processes.map { $0.process(pageBytes) })
    }
}

extension KernelLogLine {
    /// - Parameter boot: nil: not known.
    func time(boot: WallTime?) -> WallTime? {
        switch stamp {
        case .wall(let time): time
        case .sinceBoot(let nanoseconds):
            boot.flatMap { boot in
                let (time, overflow) = boot.nanoseconds.addingReportingOverflow(Int64(clamping: nanoseconds))
                return overflow ? nil : WallTime(nanoseconds: time)
            }
        case nil: nil
        }
    }
}

/// `Memory cgroup out of memory: Killed process 29834 (hog) total-vm:112968kB, …`
struct KilledLine {
    let words: String
    let pid: UInt32
    let comm: String
    let memory: OOMVictim.Memory?
    let uid: UInt32?
    let oomScoreAdj: Int32?

    init?(_ message: Substring) {
        guard let range = message.firstRange(of: ": Killed process "), message.contains("ut of memory") else {
            return nil
        }
        let rest = message[range.upperBound...]
        // a name may hold anything, brackets too
        guard let open = rest.firstIndex(of: "("), let close = rest.lastRange(of: ") total-vm:"),
            let pid = UInt32(rest[..<open].trimmed), open < close.lowerBound
        else { return nil }
        let sizes = rest[rest.index(after: close.lowerBound)...]
        func kilobytes(_ key: String) -> UInt64? {
            sizes.value(key + ":", until: "k").flatMap { $0 <= 1 << 53 ? $0 << 10 : nil }
        }
        words = String(message[..<range.lowerBound])
        self.pid = pid
        comm = String(rest[rest.index(after: open)..<close.lowerBound])
        uid = (sizes.value("UID:", until: " ") as UInt64?).flatMap { UInt32(exactly: $0) }
        oomScoreAdj = sizes.word("oom_score_adj:").flatMap { Int32($0) }
        if let total = kilobytes("total-vm"), let anon = kilobytes("anon-rss"), let file = kilobytes("file-rss") {
            memory = OOMVictim.Memory(
                totalVM: total, anonRSS: anon, fileRSS: file, shmemRSS: kilobytes("shmem-rss") ?? 0, swap: 0,
                pageTables: kilobytes("pgtables") ?? 0)
        } else {
            memory = nil
        }
    }
}

extension Substring {
    var trimmed: Substring { drop { $0 == " " }.prefixUntil(" ") }

    private func prefixUntil(_ end: Character) -> Substring { prefix { $0 != end } }

    /// What is behind a key, up to the next blank or comma; nil: there is no such key.
    func word(_ key: String) -> Substring? {
        firstRange(of: key).map { self[$0.upperBound...].prefix { $0 != " " && $0 != "," } }
    }

    func value(_ key: String, until end: Character) -> UInt64? { word(key).flatMap { UInt64($0.prefix { $0 != end }) } }

    func lastRange(of text: String) -> Range<Index>? { ranges(of: text).last }
}
