// SPDX-License-Identifier: Apache-2.0

/// What all stacks come to: the answer of a report.
public struct LeakSummary: Hashable, Sendable {
    /// Stacks of a verdict, and what they grow by together.
    public struct Share: Hashable, Sendable {
        public private(set) var stacks = 0
        /// Bytes a second.
        public private(set) var growth = 0.0

        mutating func add(_ trend: StackTrend) {
            stacks += 1
            growth += trend.growth?.value ?? 0
        }
    }

    public private(set) var leaking = Share()
    public private(set) var growing = Share()
    /// The largest growth of a stack that leaks, bytes a second; nil: none does.
    public private(set) var largestLeak: Double?
    /// Stacks that are suppressed: they are in none of the above.
    public let suppressed: OutstandingSum
    public let suppressedStacks: Int
    /// Seconds of watching.
    public let watched: Double
    /// Seconds after which a growth may be called a leak.
    public let patience: Double
    /// Growth may be called a leak at all: not where nothing is known of ages, nor of the kernel's memory.
    public let tellsLeaks: Bool

    public init(
        _ trends: [StackTrend] = [], watched: Double = 0, patience: Double = 0, tellsLeaks: Bool = true,
        suppressed: [OutstandingSum] = []
    ) {
        var sum = OutstandingSum()
        for one in suppressed { sum.add(one) }
        (self.suppressed, suppressedStacks) = (sum, suppressed.count)
        (self.watched, self.patience, self.tellsLeaks) = (watched, patience, tellsLeaks)
        for trend in trends {
            switch trend.verdict {
            case .leaking:
                leaking.add(trend)
                largestLeak = max(largestLeak ?? 0, trend.growth?.value ?? 0)
            case .growing: growing.add(trend)
            case .plateau, .churn, .oneOff, .tooEarly: break
            }
        }
    }

    /// The answer in a line or two; empty where no time was given to find one.
    public var lines: [String] {
        guard patience > 0 else { return [] }
        var lines: [String] = []
        for (share, word) in [(leaking, "leaking"), (growing, "growing")] where share.stacks > 0 {
            lines.append(
                "\(word): \(share.stacks) \(share.stacks == 1 ? "stack" : "stacks"), "
                    + "\(MemLeakText.signed(share.growth)) bytes/s")
        }
        if suppressedStacks > 0 {
            lines.append(
                "suppressed: \(suppressedStacks) \(suppressedStacks == 1 ? "stack" : "stacks"), \(suppressed.bytes) bytes"
            )
        }
        let seconds = "\(MemLeakText.seconds(watched)) s"
        if watched < patience / 3 {
            lines.append("too early to tell what leaks: watched for \(seconds) of \(MemLeakText.seconds(patience))")
        } else if watched < patience, growing.stacks > 0, tellsLeaks {
            lines.append(
                "watched for \(seconds): growth is called a leak from \(MemLeakText.seconds(patience)) s on (--leak-after)"
            )
        } else if leaking.stacks == 0, growing.stacks == 0 {
            lines.append("nothing leaks or grows, as far as \(seconds) can tell")
        }
        return lines
    }
}
