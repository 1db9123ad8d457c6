// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

extension memstall_cpu {
    /// How long this CPU had a stalled task, up to a moment, in nanoseconds since the start.
    ///
    /// - Parameter now: CLOCK_MONOTONIC.
    package func stalledNanoseconds(at now: UInt64) -> UInt64 {
        guard since_ns != 0 else { return some_ns }
        let isStalled = stalled &- Int64(bitPattern: left &- left_seen) > 0
        let end = isStalled ? now : left_ns
        return end > since_ns ? some_ns &+ (end - since_ns) : some_ns
    }
}
