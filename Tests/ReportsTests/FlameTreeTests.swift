// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct FlameTrees {
    private func stack(
        _ names: [String], _ bytes: UInt64, _ count: UInt64, growth: Double? = nil, leaks: Bool = false
    ) -> MemLeakStack {
        var sum = OutstandingSum()
        (sum.bytes, sum.count) = (bytes, count)
        let trend = StackTrend(
            verdict: leaks ? .leaking : .tooEarly, growth: growth.map { Rate(value: $0, error: 0) })
        return MemLeakStack(
            pid: 7, comm: "app", sum: sum, trend: trend,
            frames: names.reversed().map { MemLeakFrame(address: 0x1000, symbol: $0, offset: 4, module: "/app") })
    }

    private func tree(_ stacks: [MemLeakStack]) -> FlameNode {
        FlameNode(
            LeakProfile(
                stacks: stacks, time: WallTime(nanoseconds: 0), watched: 60_000_000_000, target: "pid 7",
                showsProcesses: false))
    }

    @Test("a node is the sum of the stacks through it; one that shrinks adds no growth")
    func sums() {
        let root = tree([
            stack(["main", "read"], 100, 4, growth: 30), stack(["main", "parse"], 50, 2, growth: -10),
            stack(["main"], 7, 1),
        ])
        #expect(root.bytes == 157 && root.count == 7 && root.growth == 30)
        #expect(root.sorted.map(\.name) == ["main"])
        let main = root.sorted[0]
        #expect(main.bytes == 157 && main.count == 7 && main.growth == 30)
        #expect(main.sorted.map(\.name) == ["parse", "read"])
        #expect(main.sorted.map(\.bytes) == [50, 100] && main.sorted.map(\.count) == [2, 4])
        #expect(main.sorted.map(\.growth) == [0, 30])
        #expect(!root.hasLeak && !root.leaks && main.sorted.allSatisfy { !$0.hasLeak })
    }

    @Test(
        "a node leaks where half of its bytes do",
        arguments: [(99, false), (100, true), (101, true)] as [(UInt64, Bool)])
    func half(bytes: UInt64, leaks: Bool) {
        let root = tree([stack(["main", "read"], bytes, 1, leaks: true), stack(["main", "parse"], 100, 1)])
        #expect(root.hasLeak && root.leaks == leaks)
        #expect(root.sorted[0].sorted.map(\.hasLeak) == [false, true])
        #expect(root.sorted[0].sorted.map(\.leaks) == [false, true])
    }
}
