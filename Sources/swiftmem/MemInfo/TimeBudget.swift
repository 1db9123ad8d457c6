// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Reports

/// A time limit by this thread's CPU time, which is the cost, and, on a machine whose CPUs are busy, by the clock.
struct TimeBudget {
    private let cpu: UInt64
    private let wall: UInt64

    /// - Parameters:
    ///   - nanoseconds: of CPU time, from now on.
    ///   - slack: how many times as long the clock may run.
    init(nanoseconds: UInt64, slack: UInt64 = 2) {
        cpu = Self.threadTime() + nanoseconds
        wall = monotonicNow() + slack * nanoseconds
    }

    var isOver: Bool { Self.threadTime() >= cpu || monotonicNow() >= wall }

    private static func threadTime() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}
