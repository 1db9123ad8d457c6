// SPDX-License-Identifier: Apache-2.0

/// A ledger beside the one before it and the first of the run.
public struct MemInfoReport: Sendable {
    public let ledger: MemoryLedger
    /// The ledger of the last report; nil in the first.
    public let before: MemoryLedger?
    /// The first ledger of the run; nil in the first report.
    public let first: MemoryLedger?

    public init(_ ledger: MemoryLedger, before: MemoryLedger? = nil, first: MemoryLedger? = nil) {
        (self.ledger, self.before, self.first) = (ledger, before, first)
    }

    /// By how much a part has grown since the last report; nil where one of the two is not known.
    public func change(_ part: MemoryPart) -> Int64? {
        guard let now = ledger[part], let then = before?[part] else { return nil }
        return Int64(now) - Int64(then)
    }

    /// By how much the remainder has grown since the last report; nil in the first.
    public var unaccountedChange: Int64? { before.map { ledger.unaccountedBytes - $0.unaccountedBytes } }

    /// By how much the remainder has grown since the run began; nil in the first report.
    public var unaccountedGrowth: Int64? { first.map { ledger.unaccountedBytes - $0.unaccountedBytes } }

    /// How fast the remainder grows, since the run began; nil in the first report.
    public var unaccountedBytesPerSecond: Double? {
        guard let first, let growth = unaccountedGrowth, ledger.monotonic > first.monotonic else { return nil }
        return Double(growth) / (Double(ledger.monotonic - first.monotonic) / 1e9)
    }

    /// Has the remainder changed by more than counters may be off, either way?
    public var remainderMoves: Bool {
        guard let first, let growth = unaccountedGrowth else { return false }
        return growth.magnitude > Swift.max(ledger.errorBytes, first.errorBytes)
    }
}
