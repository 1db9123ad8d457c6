// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct OOMRestartTests {
    private static let second: UInt64 = 1_000_000_000
    private let kill = OOMMoment(time: WallTime(nanoseconds: 0), boot: 1, nanoseconds: 100 * second)

    private func process(_ pid: UInt32, _ comm: String, at start: UInt64, cgroup: UInt64 = 7) -> OOMProcess {
        OOMRecordSamples.process(pid, comm, 4096, cgroup: cgroup, start: start * Self.second)
    }

    private func look(
        _ restarts: inout OOMRestarts, _ processes: [OOMProcess], at now: UInt64, cmdlines: [UInt32: String] = [:]
    ) -> [UInt32] {
        let paths: [UInt64: String] = [
            7: "/system.slice/db.service", 8: "/other.slice/db.service", 10: "/kubepods/pod1/a", 11: "/kubepods/pod1/b",
            12: "/kubepods/pod2/b",
        ]
        return restarts.look(processes, now: now * Self.second) {
            paths[$0.cgroupID].map { CgroupPath($0) }
        } cmdline: {
            cmdlines[$0]
        }.map(\.pid)
    }

    private func expecting(_ cgroup: String, cmdline: String? = nil) -> OOMRestarts {
        var restarts = OOMRestarts()
        restarts.expect(2, "db", cmdline: cmdline, in: CgroupPath(cgroup), killedAt: kill)
        return restarts
    }

    @Test("of the same name in the same unit, begun after the kill; once")
    func unit() {
        var restarts = expecting("/system.slice/db.service")
        // older than the kill, of another name, elsewhere, in no known cgroup
        let others = [
            process(3, "db", at: 99), process(4, "sh", at: 101), process(5, "db", at: 101, cgroup: 8),
            process(6, "db", at: 101, cgroup: 99),
        ]
        #expect(look(&restarts, others, at: 101) == [])
        #expect(!restarts.isEmpty)
        #expect(look(&restarts, others + [process(9, "db", at: 102)], at: 103) == [9])
        #expect(restarts.isEmpty)
        #expect(look(&restarts, [process(10, "db", at: 104)], at: 105) == [])
    }

    @Test("not later than a minute after the kill")
    func patience() {
        var restarts = expecting("/system.slice/db.service")
        #expect(look(&restarts, [process(9, "db", at: 161)], at: 161) == [])
        #expect(restarts.isEmpty)
        restarts = expecting("/system.slice/db.service")
        #expect(look(&restarts, [process(9, "db", at: 160)], at: 160) == [9])
        restarts = expecting("/system.slice/db.service")
        let late = restarts.look([process(9, "db", at: 160)], now: 160 * Self.second + 1) { _ in
            CgroupPath("/system.slice/db.service")
        } cmdline: { _ in
            nil
        }
        #expect(late.isEmpty && restarts.isEmpty)
    }

    @Test("of containers, one beside it in its pod; of another pod none; outside of cgroups none")
    func containers() {
        var restarts = expecting("/kubepods/pod1/a")
        #expect(look(&restarts, [process(9, "db", at: 101, cgroup: 12)], at: 101) == [])
        #expect(look(&restarts, [process(9, "db", at: 101, cgroup: 11)], at: 101) == [9])
        restarts = expecting("/")
        #expect(restarts.isEmpty)
        restarts.expect(2, "db", cmdline: nil, in: nil, killedAt: kill)
        #expect(restarts.isEmpty)
    }

    @Test("other arguments are another process; those that are cut are compared as far as they go")
    func arguments() {
        var restarts = expecting("/system.slice/db.service", cmdline: "db --port 1")
        let new = [process(9, "db", at: 101)]
        #expect(look(&restarts, new, at: 101, cmdlines: [9: "db --port 2"]) == [])
        #expect(look(&restarts, new, at: 101, cmdlines: [9: "db --port 1 --more"]) == [9])
        restarts = expecting("/system.slice/db.service", cmdline: "db --port 1 --more")
        #expect(look(&restarts, new, at: 101, cmdlines: [9: "db --port 1"]) == [9])
        restarts = expecting("/system.slice/db.service", cmdline: "db")
        #expect(look(&restarts, new, at: 101) == [9])
    }

    @Test("a daemon's SIGTERM and its SIGKILL are one kill; of many the latest are looked for")
    func several() {
        var restarts = expecting("/system.slice/db.service")
        restarts.expect(2, "db", cmdline: nil, in: CgroupPath("/system.slice/db.service"), killedAt: kill)
        #expect(look(&restarts, [process(9, "db", at: 101), process(10, "db", at: 101)], at: 101) == [9])
        for pid in UInt32(0)..<70 {
            restarts.expect(pid, "p\(pid)", cmdline: nil, in: CgroupPath("/system.slice/db.service"), killedAt: kill)
        }
        #expect(look(&restarts, [process(90, "p5", at: 101), process(91, "p6", at: 101)], at: 101) == [91])
    }
}
