// SPDX-License-Identifier: Apache-2.0

@testable import Reports

extension OutstandingTable {
    /// The first sites of a report in which each captured stack is one.
    func top(_ count: Int, by order: MemLeakOrder) -> [(site: AllocationSite, sum: OutstandingSum)] {
        let stacks = sites.map { site, sum in
            RankedStack(
                pid: site.pid, id: StackID(value: site.stack), sum: sum, trend: StackTrend(verdict: .tooEarly))
        }
        return RankedStack.sorted(stacks, by: order).prefix(count).map {
            (AllocationSite(pid: $0.pid, stack: $0.id.value), $0.sum)
        }
    }
}
