// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

/// Stacks of stalls: parts of rows, whose sums are the rows'.
@Suite struct MemStallStackTests: MemStallSamples {
    private func stack(
        _ user: [String]?, _ kernel: [String]? = ["try_charge_memcg"], milliseconds: UInt64, count: UInt64 = 1,
        offset: UInt64 = 0, end: StackEnd? = .whole
    ) -> MemStallStack {
        var counters = MemStallCounters()
        (counters.count, counters.stalledNanoseconds) = (count, milliseconds * 1_000_000)
        counters.longestNanoseconds = counters.stalledNanoseconds / 2
        func frames(_ names: [String], module: String) -> [MemLeakFrame] {
            names.map { MemLeakFrame(address: 0x1000 + offset, symbol: $0, offset: 4 + offset, module: module) }
        }
        return MemStallStack(
            kernel: kernel.map { frames($0, module: "kernel") }, user: user.map { frames($0, module: "/bin/app") },
            end: end, counters: counters)
    }

    private func key(tid: UInt32, kernel: UInt64, user: UInt64) -> MemStallKey {
        MemStallKey(
            memstall_key(
                start_ns: 5, cgroup: 3, limit_cgroup: 4, kernel_stack: kernel, user_stack: user, pid: 7, tid: tid,
                cause: MEMSTALL_MEMCG_MAX.rawValue, padding: 0))
    }

    @Test("stacks of the same functions are one, longest first, and nothing of their time is lost")
    func merged() {
        let stacks = MemStallStack.merged([
            stack(["touch", "main"], milliseconds: 5, count: 2), stack(["read", "main"], milliseconds: 7),
            stack(["touch", "main"], milliseconds: 3, offset: 8),
            stack(["touch", "main"], ["do_swap_page"], milliseconds: 1), stack(nil, milliseconds: 2),
        ])
        #expect(stacks.map(\.counters.stalledNanoseconds) == [8, 7, 2, 1].map { $0 * 1_000_000 })
        #expect(stacks.map(\.counters.count) == [3, 1, 1, 1])
        #expect(stacks[0].counters.longestNanoseconds == 2_500_000 && stacks[0].user?[0].offset == 4)
        #expect(stacks[2].user == nil)
    }

    @Test("rows that differ in their stacks alone are one row, whose stacks add up to it; so do a process's")
    func joined() throws {
        func part(_ milliseconds: UInt64, _ user: [String], tid: UInt32 = 9) -> MemStallRow {
            var part = row(.memcgMax, tid: tid, milliseconds: milliseconds)
            part.stacks = [stack(user, milliseconds: milliseconds)]
            return part
        }
        let rows = MemStallRow.joined([
            (key(tid: 9, kernel: 1, user: 2), part(30, ["a"])), (key(tid: 9, kernel: 1, user: 3), part(50, ["b"])),
            (key(tid: 10, kernel: 1, user: 2), part(4, ["a"], tid: 10)),
        ])
        #expect(rows.count == 2)
        let one = try #require(rows.first { $0.tid == 9 })
        #expect(one.counters.stalledNanoseconds == 80_000_000 && one.counters.count == 2)
        #expect(one.stacks?.map(\.counters.stalledNanoseconds) == [50_000_000, 30_000_000])
        let process = try #require(MemStallRow.grouped(rows, by: .process).first)
        #expect(process.stacks?.map(\.counters.stalledNanoseconds) == [50_000_000, 34_000_000])
        #expect(MemStallRow.joined([(key(tid: 9, kernel: 0, user: 0), row(.oom, milliseconds: 1))])[0].stacks == nil)
    }

    @Test("a key with stacks is the program's, and goes back to it as it came")
    func keys() {
        let key = key(tid: 9, kernel: 1, user: 2)
        #expect(key.record.kernel_stack == 1 && key.record.user_stack == 2 && key.withoutStacks != key)
        #expect(key.withoutStacks == self.key(tid: 9, kernel: 8, user: 9).withoutStacks)
    }

    @Test("text: three stacks below a row, the kernel's part before the task's, and what the rest come to")
    func text() {
        var one = row(.memcgMax, milliseconds: 100)
        one.stacks = [
            stack(["touch\u{1b}", "main"], milliseconds: 50, count: 9), stack(nil, nil, milliseconds: 20, end: nil),
            stack(["x"], milliseconds: 15, end: .cut), stack(["y"], milliseconds: 10),
            stack(["z"], milliseconds: 5),
        ]
        #expect(
            MemStallText().stacks(of: one) == [
                "    50.0 ms, 9 stalls:", "      try_charge_memcg+0x4 [kernel]", #"      touch\x1b+0x4 [app]"#,
                "      main+0x4 [app]", "    20.0 ms, 1 stalls:", "      [the kernel's part was lost]",
                "    15.0 ms, 1 stalls:", "      try_charge_memcg+0x4 [kernel]", "      x+0x4 [app]",
                "      [deeper than 127 frames]", "    15.0 ms in 2 other stacks",
            ])
        #expect(MemStallText().stacks(of: row(.oom, milliseconds: 1)).isEmpty)
    }
}
