// SPDX-License-Identifier: Apache-2.0
import TraceRecords

@testable import Reports

/// A machine's last seconds, made up.
enum OOMRecordSamples {
    static let MB: UInt64 = 1 << 20
    static let began: Int64 = 1_767_323_000_000_000_000

    static func process(
        _ pid: UInt32, _ comm: String, _ bytes: UInt64, adj: Int32 = 0, cgroup: UInt64 = 7, start: UInt64 = 5
    ) -> OOMProcess {
        OOMProcess(
            pid: pid, startNanoseconds: start, comm: comm, oomScoreAdj: adj, residentBytes: bytes, swapBytes: 0,
            pageTableBytes: 0, cgroupID: cgroup)
    }

    /// - Parameter second: since `began`.
    static func sample(_ second: Int64, _ processes: [OOMProcess], usage: UInt64? = nil) -> OOMSample {
        OOMSample(
            time: WallTime(nanoseconds: began + second * 1_000_000_000), boot: 1,
            bootNanoseconds: UInt64(1_000_000_000_000 + second * 1_000_000_000), pageBytes: 4096,
            totalBytes: 1024 * MB, availableBytes: 512 * MB, swapTotalBytes: 0, swapFreeBytes: 0,
            stalledNanoseconds: UInt64(second) * 100_000_000,
            cgroups: [
                OOMCgroup(id: 6, path: CgroupPath("/box"), usageBytes: usage, limitBytes: 200 * MB),
                OOMCgroup(id: 7, path: CgroupPath("/box/a"), usageBytes: nil, limitBytes: nil),
                OOMCgroup(id: 8, path: CgroupPath("/other"), usageBytes: nil, limitBytes: nil),
            ],
            processes: processes)
    }

    static func victim(_ pid: UInt32, _ comm: String, _ bytes: UInt64, at second: Double, adj: Int32 = 0) -> OOMVictim {
        var record = oomkill_event()
        record.kind = OOMKILL_VICTIM.rawValue
        (record.kill_id, record.trigger_pid, record.victim_pid, record.oom_score_adj) = (9, pid, pid, adj)
        (record.known, record.page_bytes, record.constraint) = (0x3f, 4096, 3)
        (record.total_pages, record.limit_pages, record.usage_pages) = (51_200, 51_200, 51_200)
        record.anon_pages = bytes / 4096
        withUnsafeMutableBytes(of: &record.victim_comm) { $0.copyBytes(from: comm.utf8.prefix(15)) }
        withUnsafeMutableBytes(of: &record.domain) { $0.copyBytes(from: "box\0".utf8) }
        record.domain_len = 4
        withUnsafeMutableBytes(of: &record.cgroup) { $0.copyBytes(from: "a\0box\0".utf8) }
        record.cgroup_len = 6
        var victim = OOMVictim(record: record)
        victim.time = WallTime(nanoseconds: began + Int64(second * 1e9))
        return victim
    }

    /// A leak of 8 MB/s, and a service that was large all the time; the second one has nothing recorded before it; the
    /// third was killed by a program, and what came of it was seen.
    static func explanations() -> [OOMExplanation] {
        let samples = (Int64(0)...10).map { (second: Int64) -> OOMSample in
            sample(
                second,
                [process(20, "leak", UInt64(10 + 8 * second) * MB), process(21, "db", 100 * MB, adj: -500)],
                usage: UInt64(110 + 8 * second) * MB)
        }
        let kill = victim(20, "leak", 94 * MB, at: 10.5)
        var sent = SentKill(
            time: kill.time, signal: .kill, sender: .init(pid: 5, comm: "earlyoom", uid: 0, cgroup: nil),
            victimPID: 20, victimComm: "leak", victimUID: 0, cmdline: nil, oomScoreAdj: 0,
            cgroup: CgroupPath("/box/a"), memory: nil)
        sent.memory = .init(anonRSS: 94 * MB, fileRSS: 0, shmemRSS: 0, swap: 0)
        let program = UserspaceKill(
            kill: sent, killer: MemoryKiller(name: "earlyoom", evidence: [.senderName]), machine: nil)
        var byProgram = OOMExplanation(OOMVictim(sent), samples: samples, by: program)
        var after = OOMAftermath()
        (after.freedBytes, after.freedAfterSeconds, after.nextKillAfterSeconds) = (94 * MB, 0.025, 30)
        let moment = OOMMoment(time: kill.time, boot: 1, nanoseconds: 1_010_500_000_000)
        after.restart = OOMRestart(
            kill: moment, killedPID: 20, pid: 30, comm: "leak", cgroup: CgroupPath("/box/leak.service"),
            startNanoseconds: 1_012_000_000_000)
        byProgram.aftermath = after
        return [OOMExplanation(kill, samples: samples), OOMExplanation(kill, samples: []), byProgram]
    }
}
