// SPDX-License-Identifier: Apache-2.0

/// The line that a long run of memleak shows on a terminal between its reports.
public struct MemLeakProgress: Hashable, Sendable {
    /// Seconds since the start.
    public var elapsed: Double
    /// Calls of allocators, a second.
    public var callsPerSecond: Double
    /// Outstanding, of whatever age; nil: not added up yet.
    public var bytes: UInt64?
    public var count: UInt64
    /// Everything that was lost.
    public var lost: UInt64

    public init(elapsed: Double, callsPerSecond: Double, bytes: UInt64?, count: UInt64, lost: UInt64) {
        self.elapsed = elapsed
        self.callsPerSecond = callsPerSecond
        self.bytes = bytes
        self.count = count
        self.lost = lost
    }

    /// The line, cut to a terminal's columns: at full width the cursor would go on to the next.
    public func text(columns: Int) -> String {
        let seconds = Int(max(0, elapsed))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let time = "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        let rate = Int(max(0, callsPerSecond).rounded())
        let sum = bytes.map { " \($0) bytes in \(count) allocations outstanding," } ?? ""
        return String("\(time) \(rate) calls/s,\(sum) \(lost) lost".prefix(max(0, columns - 1)))
    }
}

extension MemLeakCounters {
    /// Calls seen, whatever came of them.
    public var calls: UInt64 {
        allocations &+ frees &+ unmatchedFrees &+ sampledOut &+ filteredOut &+ failed &+ unseenNew
    }
}
