// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CBPFObjects
import LibBPF
import Probes
import Reports
import SystemLayer
import SystemPackage
import Testing

@testable import swiftmem

@Suite struct Arguments {
    @Test(
        "seconds",
        arguments: [
            ("1", 1.0), ("0.01", 0.01), ("1000000", 1_000_000), ("0", nil), ("-1", nil), ("nan", nil),
            ("inf", nil), ("1e99", nil), ("", nil), ("1s", nil), ("0.001", nil),
        ])
    func seconds(text: String, value: Double?) {
        #expect(Seconds(argument: text)?.value == value)
    }

    @Test(
        "ids",
        arguments: [("1", UInt32(1)), ("4194304", 4_194_304), ("0", nil), ("4194305", nil), ("-1", nil), ("x", nil)])
    func ids(text: String, value: UInt32?) {
        #expect(TaskID(argument: text)?.value == value)
    }

    @Test("bcc's ways of calling cachestat")
    func cachestat() throws {
        let plain = try CacheStat.parse([])
        #expect(plain.interval == Seconds(1) && plain.count == nil)
        let both = try CacheStat.parse(["-T", "5", "10"])
        #expect(both.timestamp)
        #expect(both.interval.value == 5)
        #expect(both.count?.value == 10)
        #expect(throws: (any Error).self) { try CacheStat.parse(["5", "0"]) }
    }
}

@Suite struct KernelLeakArguments {
    @Test("no process named: the kernel, with bcc's arguments")
    func kernel() throws {
        for (arguments, isKernel) in [
            (["5", "10"], true), (["--percpu"], true), (["--cache", "dentry"], true), (["-p", "1"], false),
            (["-c", "true"], false), (["--cgroup", "/x"], false), (["--", "true"], false),
        ] {
            let tool = try MemLeak.parse(arguments)
            #expect(tool.arguments.namesProcesses != isKernel, "\(arguments)")
        }
        #expect(try MemLeak.parse(["--max-overhead", "2.5"]).arguments.maxOverhead?.value == 2.5)
        for bad in ["0", "101", "-1", "nan", "inf", "x", ""] { #expect(Percent(argument: bad) == nil) }
    }

    @Test("sampling grows with what is too much, and comes back by halves")
    func overhead() {
        func next(_ rate: UInt64, _ share: Double, slowest: UInt64 = 1) -> UInt64 {
            OverheadLimit.next(rate: rate, share: share, limit: 0.01, slowest: slowest)
        }
        #expect(next(1, 0.005) == 1)
        #expect(next(1, 0.011) == 2)
        #expect(next(1, 0.05) == 5)
        #expect(next(4, 10) == 256)
        #expect(next(1 << 9, 1) == 1 << 10)
        #expect(next(1 << 10, 1) == 1 << 10)
        // asked for rarer by -s
        #expect(next(1 << 20, 1, slowest: 1 << 20) == 1 << 20)
        #expect(next(8, 0.001) == 4)
        #expect(next(8, 0.003) == 8)
        #expect(next(10, 0, slowest: 10) == 10)
    }

    @Test("names of /proc/slabinfo")
    func slabinfo() {
        let table = "slabinfo - version: 2.1\n# name <active_objs>\ndentry 1 2 192 21 1 : x\nkmalloc-8 3 4 8 512 1\n"
        let caches = SlabCaches(table: table)
        #expect(caches.inUse == ["dentry": 1, "kmalloc-8": 3])
        #expect(SlabCaches(table: "").names.isEmpty)
        let before = SlabCaches(table: "slabinfo\n# name\nkmalloc-8 1 4 8\ndentry 9 9 192\n")
        #expect(
            caches.check("kmalloc-8", outstanding: 5, since: before)
                == SlabCheck(cache: "kmalloc-8", outstanding: 5, inUse: 3, growth: 2))
        #expect(caches.check("dentry", outstanding: 5, since: before)?.growth == 0)
        #expect(caches.check("none", outstanding: 5, since: before) == nil)
    }
}

@Suite struct Rights {
    @Test("capabilities that tracing needs")
    func capabilities() {
        #expect(Capabilities(ProcessStatus("CapEff:\t0000000000000000\n")).missing == ["CAP_BPF", "CAP_PERFMON"])
        #expect(Capabilities(ProcessStatus("CapEff:\t0000008000000000\n")).missing == ["CAP_PERFMON"])
        #expect(Capabilities(ProcessStatus("CapEff:\t000000c000000000\n")).missing.isEmpty)
        #expect(Capabilities(ProcessStatus("CapEff:\t0000000000200000\n")).missing.isEmpty)
        // CAP_SYS_ADMIN stands for some others, not for these
        let admin = Capabilities(ProcessStatus("CapEff:\t0000000000200000\n"))
        #expect(admin.wanting([.kernelNames]) == ["without CAP_SYSLOG: functions of the kernel stay without names"])
        let lacking = admin.wanting(CapabilityUse.otherUsersProcesses).map { $0.prefix { $0 != ":" } }
        #expect(lacking == ["without CAP_SYS_PTRACE", "without CAP_DAC_READ_SEARCH"])
        #expect(Capabilities(ProcessStatus("")).missing == ["CAP_BPF", "CAP_PERFMON"])
        #expect(Capabilities(ProcessStatus("CapEff:\tgarbage\n")).missing.count == 2)
    }

    @Test("cgroup hierarchies in /proc/mounts")
    func mounts() {
        let text = """
            cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
            cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
            cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0
            garbage
            """
        #expect(
            CgroupTarget.mounts(text) == [
                .init(directory: "/sys/fs/cgroup/unified", unified: true),
                .init(directory: "/sys/fs/cgroup/memory", unified: false),
            ])
    }

    @Test("what a user is told of a refusal")
    func failures() {
        let refused = Failure(BPFError(operation: "load program x", code: 1, log: ["a", "b"]))
        #expect(refused.status == 77)
        #expect(refused.message == "load program x: Operation not permitted")
        #expect(refused.details == ["a", "b"])
        #expect(Failure(BPFError(operation: "x", code: 524)).message.contains("ENOTSUPP"))
        #expect(Failure(BPFError(operation: "x", code: 22)).status == 71)
    }
}
