// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct OOMKillLines {
    private func victim(_ change: (inout OOMVictim) -> Void) -> OOMVictim {
        var victim = OOMVictim(record: oomkill_event())
        victim.time = WallTime(nanoseconds: 0)
        (victim.triggerPID, victim.triggerComm, victim.victimPID, victim.victimComm) = (10, "a\n", 20, "b")
        change(&victim)
        return victim
    }

    private func context(
        _ constraint: OOMConstraint?, domain: String? = nil, limit: UInt64? = nil, usage: UInt64? = nil
    ) -> OOMVictim.Context {
        OOMVictim.Context(
            constraint: constraint, gfp: GFPFlags(mask: 0xcc0), order: 3, totalPages: 77,
            domain: domain.map { CgroupPath($0) }, limitBytes: limit, usageBytes: usage)
    }

    @Test("every constraint, whether a signal was sent, what is known and what is not")
    func golden() throws {
        let victims = [
            victim { _ in },
            victim {
                $0.sharesMemory = true; $0.signalSent = false
            },
            victim { $0.signalSent = false },
            victim { $0.signalSent = true },
            victim {
                $0.context = self.context(OOMConstraint.none); $0.cmdline = "x\u{1b}y"
            },
            victim { $0.context = self.context(.cpuset) },
            victim { $0.context = self.context(.memoryPolicy) },
            victim { $0.context = self.context(nil) },
            victim { $0.context = self.context(.memoryCgroup) },
            victim { $0.context = self.context(.memoryCgroup, domain: "/a\u{1b}", limit: 4096, usage: 4095) },
            victim { $0.context = self.context(.memoryCgroup, domain: "/a", usage: 8191) },
            victim { $0.cgroup = CgroupPath("/user.slice") },
        ]
        let lines = victims.flatMap { OOMKillText.lines($0, loadavg: "1 2 3") }
        let clock = WallTime(nanoseconds: 0).clockTime
        try GoldenFile("oomkill.txt").expect(lines.map { $0.replacing(clock, with: "HH:MM:SS") })
    }

    @Test("names of the constraints, by their numbers in the kernel")
    func constraints() {
        #expect((0..<5).map { OOMConstraint(rawValue: $0)?.name } == ["global", "cpuset", "mempolicy", "memcg", nil])
    }

    @Test("a memory cgroup's limit is one below the largest that a counter holds")
    func limits() {
        var record = oomkill_event()
        record.page_bytes = 4096
        record.known = OOM_HAS_CONTEXT.rawValue | OOM_HAS_MEMCG.rawValue
        record.limit_pages = UInt64(Int64.max) / 4096 - 1
        #expect(OOMVictim(record: record).context?.limitBytes == (UInt64(Int64.max) / 4096 - 1) * 4096)
        record.limit_pages += 1
        #expect(OOMVictim(record: record).context?.limitBytes == nil)
        record.limit_pages = 5
        record.known = OOM_HAS_CONTEXT.rawValue
        let machine = OOMVictim(record: record).context
        #expect(machine?.limitBytes == nil && machine?.usageBytes == nil && machine?.domain == nil)
        record.page_bytes = 0
        #expect(OOMVictim(record: record).context?.totalPages == 0)
    }

    @Test("bits of what is known, each for itself")
    func bits() {
        var record = oomkill_event()
        record.known = OOM_HAS_SIGNALS.rawValue
        #expect(OOMVictim(record: record).signalSent == false)
        record.known |= OOM_SIGNALLED.rawValue
        #expect(OOMVictim(record: record).signalSent == true)
        record.known = OOM_SIGNALLED.rawValue
        #expect(OOMVictim(record: record).signalSent == nil)
        record.known = OOM_SHARED_MM.rawValue
        #expect(OOMVictim(record: record).sharesMemory)
    }

    @Test("a kernel stack: whole words of what was copied")
    func stack() {
        var record = oomkill_event()
        (record.stack.0, record.stack.1) = (7, 8)
        for (bytes, words) in [(1, []), (8, [7]), (15, [7]), (16, [7, 8])] as [(Int32, [UInt64])] {
            record.stack_bytes = bytes
            #expect(OOMVictim(record: record).kernelStack == words)
        }
        for none in [0, -8] as [Int32] {
            record.stack_bytes = none
            #expect(OOMVictim(record: record).kernelStack == nil)
        }
    }

    @Test("an end: exited with nothing freed, one page, whole kB")
    func ends() {
        var record = oomkill_end()
        (record.victim_pid, record.page_bytes, record.before_pages, record.after_pages) = (7, 4096, 5, 5)
        #expect(OOMKillText.line(OOMEnd(record: record)).hasSuffix(" PID 7 exited 0.0 ms after the kill, 0 kB freed"))
        (record.after_pages, record.reaped) = (4, 2)
        #expect(OOMKillText.line(OOMEnd(record: record)).hasSuffix(" PID 7 reaped 0.0 ms after the kill, 4 kB freed"))
    }
}
