// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

/// Two runs that differ in every way.
enum LeakDiffSample {
    private static func stack(
        _ name: String, _ bytes: UInt64, _ count: UInt64, pid: UInt32 = 7, isLost: Bool = false, cache: String? = nil
    ) -> MemLeakStack {
        var sum = OutstandingSum()
        (sum.bytes, sum.count) = (bytes, count)
        let frame = MemLeakFrame(
            // loaded elsewhere each time
            address: UInt64(pid) << 32 + 0x1000, symbol: name, offset: 16, module: "/opt/app",
            moduleOffset: name.utf8.reduce(0) { $0 * 31 + UInt64($1) } << 12, buildID: "ab01")
        return MemLeakStack(
            pid: cache == nil ? pid : nil, comm: cache == nil ? "app" : nil,
            id: StackID(isLost ? nil : [frame], by: .function), sum: sum, frames: isLost ? nil : [frame],
            kernel: cache.map { KernelMemory(kind: .cache, cache: $0) })
    }

    static func profile(_ stacks: [MemLeakStack], pid: UInt32) -> LeakProfile {
        LeakProfile(
            stacks: stacks, time: WallTime(nanoseconds: 1_767_323_045_000_000_006),
            watched: UInt64(pid) * 1_000_000_000,
            target: "pid \(pid)")
    }

    static let before = profile(
        [
            stack("same", 50, 5), stack("grown", 100, 10), stack("shrunk", 900, 9, cache: "dentry"),
            stack("vanished", 7, 1), stack("worker", 30, 3, pid: 7), stack("worker", 30, 3, pid: 8),
        ], pid: 7)
    static let after = profile(
        [
            stack("grown", 5000, 11, pid: 9), stack("same", 50, 5, pid: 9),
            stack("shrunk", 300, 9, pid: 9, cache: "dentry"),
            stack("lost", 12, 1, pid: 9, isLost: true), stack("worker", 60, 6, pid: 10),
        ], pid: 9)
    static let diff = LeakDiff(before: before, after: after)
}

@Suite struct LeakDiffs {
    @Test("what is new, grew, shrank, is gone; what is the same, in all processes together, is no row")
    func changes() {
        let diff = LeakDiffSample.diff
        #expect(diff.rows.map(\.change) == [.grew, .shrank, .new, .gone])
        #expect(diff.rows.map(\.bytes) == [4900, -600, 12, -7])
        #expect(diff.rows.map(\.count) == [1, 0, 1, -1])
        #expect(diff.same == 2)
    }

    @Test("two runs of one program, loaded elsewhere: nothing")
    func empty() {
        let diff = LeakDiff(
            before: LeakDiffSample.before,
            after: LeakProfile(
                stacks: LeakDiffSample.before.stacks.reversed(), time: WallTime(nanoseconds: 0), watched: 1,
                target: "pid 8"))
        #expect(diff.rows.isEmpty && diff.same == 5)
        #expect(diff.lines(top: 10).last == "stacks: 0 new, 0 grew, 0 shrank, 0 gone, 5 the same")
        #expect(diff.json(top: 10).count == 1)
    }

    @Test("as text: what has changed most last; what is not shown is counted")
    func text() {
        #expect(
            LeakDiffSample.diff.lines(top: 3) == [
                "before 2026-01-02T03:04:05Z 1117 bytes in 31 allocations of pid 7",
                "after  2026-01-02T03:04:05Z 5422 bytes in 32 allocations of pid 9",
                "\t+12 bytes, +1 allocations from stack",
                "\t\t[new: 0 -> 12 bytes]",
                "\t\tstack information lost",
                "\t-600 bytes, 0 allocations from stack of dentry",
                "\t\t[shrank: 900 -> 300 bytes]",
                "\t\t0x0000000900001000\tshrunk+0x10 [app]",
                "\t+4900 bytes, +1 allocations from stack",
                "\t\t[grew: 100 -> 5000 bytes]",
                "\t\t0x0000000900001000\tgrown+0x10 [app]",
                "1 more stacks that differ (-T)",
                "stacks: 1 new, 1 grew, 1 shrank, 1 gone, 2 the same",
            ])
    }
}
