// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

/// Rows of equal weight stand in the same order whatever the order they were read in.
@Suite struct StallOrders: MemStallSamples {
    /// All orders of a few.
    private func orders<Element>(_ elements: [Element]) -> [[Element]] {
        guard elements.count > 1 else { return [elements] }
        return elements.indices.flatMap { index in
            var rest = elements
            let first = rest.remove(at: index)
            return orders(rest).map { [first] + $0 }
        }
    }

    @Test("tasks: longest first, then by id, then by cause; what is no wait last")
    func rows() {
        let sorted = [
            row(.refault, tid: 5, milliseconds: 9), row(.memcgMax, tid: 3, milliseconds: 8),
            row(.directReclaim, tid: 4, milliseconds: 8), row(.memcgMax, tid: 4, milliseconds: 8),
            row(.kswapd, tid: 1, milliseconds: 99),
        ]
        for order in orders(sorted) {
            #expect(
                MemStallRow.sorted(order).map { [$0.tid ?? 0, $0.cause.rawValue] }
                    == sorted.map { [$0.tid ?? 0, $0.cause.rawValue] })
        }
        // a process's row has its pid in place of a task's
        let processes = [2, 3].map { row(.refault, tid: nil, pid: $0, milliseconds: 1) }
        #expect(MemStallRow.sorted(processes.reversed()).map(\.pid) == [2, 3])
    }

    @Test(
        "limits: longest first, then by path and cause; who frees at one: most first, then who waits most, then by path"
    )
    func limits() {
        let rows = [
            row(.memcgMax, tid: 1, milliseconds: 9, pages: 7, limit: "/b", cgroup: "/b/2"),
            row(.memcgMax, tid: 2, milliseconds: 9, pages: 7, limit: "/b", cgroup: "/b/1"),
            row(.memcgMax, tid: 3, milliseconds: 10, pages: 7, limit: "/b", cgroup: "/b/3"),
            row(.memcgMax, tid: 4, milliseconds: 1, pages: 8, limit: "/b", cgroup: "/b/4"),
        ]
        for order in orders(rows) {
            let limits = MemStallLimit.limits(
                order, intervalNanoseconds: Self.second, before: [:], now: [:], pageSize: 4096)
            #expect(limits.count == 1)
            let culprits = MemStallCulprit.culprits(order, at: limits, before: [:], now: [:])
            #expect(culprits.map(\.cgroup?.path) == ["/b/4", "/b/3", "/b/1", "/b/2"])
            #expect(culprits.map(\.tasks) == [1, 1, 1, 1])
        }
        let several = [
            row(.memcgMax, tid: 1, milliseconds: 20, limit: "/c"),
            row(.memcgHigh, tid: 2, milliseconds: 5, limit: "/b"),
            row(.memcgMax, tid: 3, milliseconds: 5, limit: "/a"), row(.memcgMax, tid: 4, milliseconds: 5, limit: "/b"),
        ]
        for order in orders(several) {
            let limits = MemStallLimit.limits(
                order, intervalNanoseconds: Self.second, before: [:], now: [:], pageSize: 4096)
            #expect(limits.map(\.cgroup?.path) == ["/c", "/a", "/b", "/b"])
            #expect(limits[2].cause.rawValue < limits[3].cause.rawValue)
        }
    }

    @Test("shrinkers: longest first, then by name; those that were not called are left out")
    func shrinkers() {
        func shrinker(_ function: String?, _ nanoseconds: UInt64, calls: UInt64 = 1) -> ReclaimShrinker {
            var record = memstall_shrinker()
            (record.calls, record.total_ns) = (calls, nanoseconds)
            return ReclaimShrinker([record], function: function, epoch: 0)
        }
        let sorted = [shrinker("z", 9), shrinker(nil, 5), shrinker("a", 5), shrinker("b", 5)]
        for order in orders(sorted) {
            let reclaim = MemStallReclaim(
                nodes: [], shrinkers: order + [shrinker("idle", 99, calls: 0)], zones: [])
            #expect(reclaim.shrinkers == sorted)
        }
    }
}
