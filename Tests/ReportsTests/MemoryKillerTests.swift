// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct MemoryKillers {
    private static func kill(_ comm: String, cgroup: String? = nil) -> SentKill {
        SentKill(
            time: GoldenRecord.time, signal: .terminate,
            sender: .init(pid: 10, comm: comm, uid: 0, cgroup: nil), victimPID: 20, victimComm: "hog", victimUID: 1000,
            cmdline: nil, oomScoreAdj: -7, cgroup: cgroup.map { CgroupPath($0) }, memory: nil)
    }

    private static let plenty = MemoryShortage(totalBytes: 1000, availableBytes: 500, some: 1, full: 0)
    private static let little = MemoryShortage(totalBytes: 1000, availableBytes: 99, some: nil, full: nil)

    @Test("a daemon by its name, whatever the machine's state; that it was short is said")
    func daemons() {
        for name in ["systemd-oomd", "earlyoom", "nohang", "oomd", "lmkd", "bustd"] {
            #expect(MemoryKiller.mayBe(name) && MemoryKiller.names.contains(name))
            #expect(MemoryKiller(Self.kill(name), nil) == MemoryKiller(name: name, evidence: [.senderName]))
            #expect(
                MemoryKiller(Self.kill(name), Self.little)
                    == MemoryKiller(name: name, evidence: [.senderName, .shortage]))
        }
        for name in ["kill", "bash", "systemd", "earlyoom2", ""] {
            #expect(!MemoryKiller.mayBe(name))
            #expect(MemoryKiller(Self.kill(name), Self.little) == nil)
        }
    }

    @Test("names fit the kernel's: of 15 bytes and no more, and sixteen of them")
    func names() {
        #expect(MemoryKiller.names.count <= Int(OOM_KILLERS) && MemoryKiller.names.count == 12)
        #expect(MemoryKiller.names.allSatisfy { MemoryKiller.mayBe($0) && $0.utf8.count <= 15 })
    }

    @Test("a pod's end is an eviction only where the machine is short")
    func evictions() {
        let pod = "/kubepods.slice/kubepods-burstable.slice/cri-containerd-0.scope"
        let eviction = MemoryKiller(name: "kubelet", evidence: [.pod, .shortage])
        #expect(MemoryKiller(Self.kill("containerd-shim", cgroup: pod), Self.little) == eviction)
        #expect(MemoryKiller(Self.kill("runc", cgroup: pod), Self.little) == eviction)
        #expect(MemoryKiller.mayBe("containerd-shim") && MemoryKiller.mayBe("runc"))
        #expect(MemoryKiller(Self.kill("runc", cgroup: pod), Self.plenty) == nil)
        #expect(MemoryKiller(Self.kill("runc", cgroup: pod), nil) == nil)
        #expect(MemoryKiller(Self.kill("runc", cgroup: "/docker/0"), Self.little) == nil)
        #expect(MemoryKiller(Self.kill("runc"), Self.little) == nil)
        #expect(MemoryKiller(Self.kill("sh", cgroup: pod), Self.little) == nil)
    }

    @Test("short: below a tenth, or all stalled for a twentieth of ten seconds")
    func shortage() {
        func isShort(_ available: UInt64, _ full: Double?) -> Bool {
            MemoryShortage(totalBytes: 1000, availableBytes: available, some: 99, full: full).isShort
        }
        #expect(isShort(99, nil) && !isShort(100, nil) && isShort(500, 5) && !isShort(500, 4.99))
    }

    @Test("PSI's averages; what is none of its file's is not known")
    func averages() {
        let text = "some avg10=12.50 avg60=1.00 avg300=0.10 total=1\nfull avg10=3.25 avg60=0.00 avg300=0.00 total=2\n"
        #expect(MemoryShortage.averages(text) == (12.5, 3.25))
        #expect(MemoryShortage.averages("some avg10=101 total=1\nfull avg10=x\n") == (nil, nil))
        #expect(MemoryShortage.averages("") == (nil, nil))
    }

    @Test("text: who, why it is thought so, what the victim held")
    func text() {
        var kill = Self.kill("earlyoom", cgroup: "/user.slice")
        kill.cmdline = "hog\u{1b}"
        kill.memory = .init(anonRSS: 8 << 20, fileRSS: 4096, shmemRSS: 0, swap: 1024)
        let machine = MemoryShortage(totalBytes: 8 << 30, availableBytes: 1 << 20, some: 50, full: 31.24)
        let lines = OOMKillText.lines(
            kill, by: MemoryKiller(name: "earlyoom", evidence: [.senderName, .shortage]), machine)
        #expect(
            lines.dropFirst() == [
                "  for memory, as is inferred from: the sender's name, the machine's shortage",
                "  available 1024 kB of 8388608 kB, pressure full 31.2 % of 10 s",
                "  command: hog\\x1b", "  uid 1000, oom_score_adj -7",
                "  anon-rss 8192 kB, file-rss 4 kB, shmem-rss 0 kB,", "  swap 1 kB", "  cgroup: /user.slice",
            ])
        #expect(lines[0].hasSuffix(#" earlyoom: SIGTERM from PID 10 ("earlyoom") to PID 20 ("hog")"#))
        let unknown = Self.kill("x")
        #expect(unknown.memory == nil && unknown.signal.name == "SIGTERM")
        #expect(SentKill(record: oomkill_sent()) == nil)
    }

    /// Golden lines: all that can be known, and all that may not be.
    static func userspaceKills() -> [JSONLine] {
        var known = kill("systemd-oomd", cgroup: "/system.slice/nginx.service")
        known.sender.cgroup = CgroupPath("/system.slice/systemd-oomd.service")
        known.cmdline = "hog --all"
        known.memory = .init(anonRSS: 8192, fileRSS: 4096, shmemRSS: 0, swap: 1024)
        let short = MemoryShortage(totalBytes: 1000, availableBytes: 99, some: 50, full: 31.24)
        return [
            OOMKillJSON.line(known, by: MemoryKiller(name: "systemd-oomd", evidence: [.senderName, .shortage]), short),
            OOMKillJSON.line(kill("runc"), by: MemoryKiller(name: "kubelet", evidence: [.pod, .shortage]), nil),
        ]
    }
}
