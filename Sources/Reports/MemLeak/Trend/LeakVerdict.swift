// SPDX-License-Identifier: Apache-2.0

/// What becomes of a stack's memory, in a word; Docs/tools/memleak.md says when each is given.
public enum LeakVerdict: String, CaseIterable, Sendable {
    /// It grows steadily, for as long as a cache may fill, and what has got old is never freed.
    case leaking
    /// It grows, and may yet stop: a cache that fills, or a leak that is young.
    case growing
    /// It has grown, and does not any more, or frees as much as it allocates.
    case plateau
    /// What it allocates is freed again, one by one or many at once.
    case churn
    /// It was allocated in one go.
    case oneOff = "one-off"
    case tooEarly = "too early to tell"

    /// What matters comes first.
    var rank: Int {
        switch self {
        case .leaking: 0
        case .growing: 1
        case .tooEarly: 2
        case .plateau, .churn, .oneOff: 3
        }
    }
}

/// A rate and one standard error of it.
public struct Rate: Hashable, Sendable {
    /// A second.
    public let value: Double
    public let error: Double

    public init(value: Double, error: Double) {
        self.value = value
        self.error = error
    }
}

/// How a stack's memory develops.
public struct StackTrend: Hashable, Sendable {
    public let verdict: LeakVerdict
    /// 0 to 1; nil: it is too early to tell.
    public let confidence: Double?
    /// Bytes a second; nil: there was no time to measure it in.
    public let growth: Rate?
    /// Allocations a second.
    public let growthCount: Rate?
    /// The share of what was allocated so long ago that still lives: one for each of `LeakHistory.ages`; nil: not known.
    public let survival: [Double?]

    public init(
        verdict: LeakVerdict, confidence: Double? = nil, growth: Rate? = nil, growthCount: Rate? = nil,
        survival: [Double?] = [nil, nil, nil]
    ) {
        self.verdict = verdict
        self.confidence = confidence
        self.growth = growth
        self.growthCount = growthCount
        self.survival = survival
    }
}
