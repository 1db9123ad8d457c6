// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// How many allocations a recorded one stands for.
public enum SampleWeight: Hashable, Sendable {
    /// One in so many was recorded, whatever its size; 1: all.
    case oneIn(UInt64)
    /// Sample points lay so many bytes apart on average: an allocation of n bytes was
    /// recorded with probability 1 - exp(-n / distance).
    case distance(Double)

    /// How many allocations of a size one stands for.
    func count(of size: UInt64) -> Double {
        switch self {
        case .oneIn(let rate): Double(rate)
        case .distance(let distance): 1 / -expm1(-Double(max(1, size)) / distance)
        }
    }
}

/// What one site has outstanding.
public struct OutstandingSum: Hashable, Sendable {
    public var bytes: UInt64 = 0
    public var count: UInt64 = 0
    /// When the oldest was made, CLOCK_MONOTONIC nanoseconds; nil: not known.
    public var oldestTime: UInt64?
    /// Some of it stands for allocations that sampling passed over.
    public var isEstimated = false
    /// By age; nil: nobody has asked, or it is not known.
    var ages: AgeProfile?
    /// Variance of the estimates (Horvitz and Thompson's); NaN where it is not known.
    var bytesVariance = 0.0
    var countVariance = 0.0
    /// How many recorded allocations the estimate is made of; nil: not known, where the kernel adds up.
    var sampleCount: UInt64? = 0
    /// What rounding keeps back.
    private var bytesRest = 0.0
    private var countRest = 0.0

    public init() {}

    /// One standard error of an estimate; nil where nothing is estimated, or it is not known.
    public var bytesError: UInt64? { Self.error(bytesVariance, isEstimated) }
    public var countError: UInt64? { Self.error(countVariance, isEstimated) }

    /// How many recorded allocations an estimate is made of; nil where nothing is estimated, or it is not known.
    public var samples: UInt64? { isEstimated ? sampleCount : nil }
    /// An estimate of so few samples says little more than that there is something.
    var isOfFewSamples: Bool { samples.map { $0 < 10 } ?? false }

    private static func error(_ variance: Double, _ isEstimated: Bool) -> UInt64? {
        guard isEstimated, variance.isFinite else { return nil }
        return UInt64(exactly: variance.squareRoot().rounded())
    }

    /// Adds another's bytes and allocations; the oldest of both is the oldest, ages are added where both have them.
    public mutating func add(_ other: OutstandingSum) {
        bytes &+= other.bytes
        count &+= other.count
        if let time = other.oldestTime { oldestTime = min(oldestTime ?? .max, time) }
        if let its = other.ages { ages?.add(its) }
        bytesVariance += other.bytesVariance
        countVariance += other.countVariance
        if let mine = sampleCount, let its = other.sampleCount { sampleCount = mine &+ its } else { sampleCount = nil }
        if other.isEstimated { isEstimated = true }
    }

    /// Adds a heap block, and those of its kind that it stands for.
    mutating func add(bytes size: UInt64, time: UInt64, weight: SampleWeight, grid: AgeGrid? = nil) {
        oldestTime = min(oldestTime ?? .max, time)
        if let grid {
            let count = weight.count(of: size)
            if ages == nil { ages = AgeProfile() }
            ages?.add(bytes: Double(size) * count, count: count, born: time, grid)
        }
        switch weight {
        case .oneIn(let rate):
            bytes &+= size &* rate
            count &+= rate
            if rate > 1 { estimated(size, probability: 1 / Double(rate)) }
        case .distance(let distance):
            let probability = -expm1(-Double(max(1, size)) / distance)
            bytesRest += Double(size) / probability
            countRest += 1 / probability
            // a program of its own allocator may say any size
            bytes &+= UInt64(exactly: bytesRest.rounded(.down)) ?? .max
            count &+= UInt64(exactly: countRest.rounded(.down)) ?? .max
            bytesRest -= bytesRest.rounded(.down)
            countRest -= countRest.rounded(.down)
            estimated(size, probability: probability)
        }
    }

    private mutating func estimated(_ size: UInt64, probability: Double) {
        let excess = (1 - probability) / (probability * probability)
        isEstimated = true
        sampleCount = sampleCount.map { $0 &+ 1 }
        bytesVariance += excess * Double(size) * Double(size)
        countVariance += excess
    }

    /// Some of the sum is an estimate whose error is not known.
    mutating func addEstimate() {
        isEstimated = true
        sampleCount = nil
        bytesVariance = .nan
        countVariance = .nan
    }

    /// Adds what the kernel added up of allocations recorded at a rate: of their sizes
    /// nothing is known but the sum.
    mutating func add(total: AllocationTotal, rate: UInt64) {
        bytes &+= UInt64(total.bytes) &* rate
        count &+= UInt64(total.count) &* rate
        guard rate > 1 else { return }
        isEstimated = true
        sampleCount = sampleCount.map { $0 &+ UInt64(total.count) }
        bytesVariance = .nan
        countVariance += Double(total.count) * Double(rate) * Double(rate - 1)
    }
}
