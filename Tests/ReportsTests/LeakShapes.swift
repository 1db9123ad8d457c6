// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Reports

/// A block of a synthetic history: seconds.
struct LeakShapeBlock {
    var born: Double
    /// .infinity: never freed.
    var dies: Double = .infinity
    var bytes: UInt64 = 100
}

/// How a stack allocates and frees, and what it is.
enum LeakShape: String, CaseIterable, CustomTestStringConvertible {
    /// One request in a hundred of 200 a second leaves a block behind, on the stack of the others.
    case slowLeak
    /// … on a stack of its own.
    case ownLeak
    /// One in 10 000 of 20 000 a second, on a stack of its own.
    case rareLeak
    /// Begins after 40 s.
    case lateLeak
    /// Goes on for 60 s.
    case stoppingLeak
    /// Fills within 20 s, as fast all the time.
    case cache
    /// Fills by what is not in it yet: ever more slowly.
    case randomCache
    /// 300 entries, the oldest freed for each new one, one each 50 ms.
    case evicting
    /// Entries for 10 s on average, by chance.
    case sessions
    /// Grows for 13 s, then all is freed.
    case sawtooth
    /// 1000 blocks in the first half second.
    case oneOff
    /// Freed within milliseconds, some within seconds.
    case churn
    /// Three blocks, now and then.
    case few

    var testDescription: String { rawValue }

    var leaks: Bool {
        switch self {
        case .slowLeak, .ownLeak, .rareLeak, .lateLeak, .stoppingLeak: true
        default: false
        }
    }

    func blocks(until end: Double, _ random: inout SplitMix) -> [LeakShapeBlock] {
        switch self {
        case .slowLeak:
            return Self.arrivals(200, 0, end, &random).map { born in
                let isLeak = random.unit() < 0.01
                return LeakShapeBlock(born: born, dies: isLeak ? .infinity : born + random.lifetime(0.05))
            }
        case .ownLeak: return Self.arrivals(2, 0, end, &random).map { LeakShapeBlock(born: $0, bytes: 56) }
        case .rareLeak: return Self.arrivals(2, 0, end, &random).map { LeakShapeBlock(born: $0, bytes: 56) }
        case .lateLeak: return Self.arrivals(2, 40, end, &random).map { LeakShapeBlock(born: $0) }
        case .stoppingLeak: return Self.arrivals(2, 0, min(60, end), &random).map { LeakShapeBlock(born: $0) }
        case .cache: return Self.arrivals(100, 0, min(20, end), &random).map { LeakShapeBlock(born: $0, bytes: 840) }
        case .randomCache:
            var have = 0.0
            return Self.arrivals(100, 0, end, &random).compactMap { born in
                guard random.unit() > have / 1000 else { return nil }
                have += 1
                return LeakShapeBlock(born: born, bytes: 840)
            }
        case .evicting: return Self.arrivals(20, 0, end, &random).map { LeakShapeBlock(born: $0, dies: $0 + 15) }
        case .sessions:
            return Self.arrivals(20, 0, end, &random).map { LeakShapeBlock(born: $0, dies: $0 + random.lifetime(10)) }
        case .sawtooth:
            return Self.arrivals(50, 0, end, &random).map {
                LeakShapeBlock(born: $0, dies: (($0 / 13).rounded(.down) + 1) * 13)
            }
        case .oneOff: return (0..<1000).map { LeakShapeBlock(born: Double($0) / 2000) }
        case .churn:
            return Self.arrivals(200, 0, end, &random).map {
                LeakShapeBlock(born: $0, dies: $0 + random.lifetime(random.unit() < 0.05 ? 1.5 : 0.005))
            }
        case .few: return Self.arrivals(0.02, 0, end, &random).map { LeakShapeBlock(born: $0) }
        }
    }

    /// A Poisson process.
    private static func arrivals(_ rate: Double, _ begin: Double, _ end: Double, _ random: inout SplitMix) -> [Double] {
        var times: [Double] = []
        var time = begin + random.lifetime(1 / rate)
        while time < end {
            times.append(time)
            time += random.lifetime(1 / rate)
        }
        return times
    }
}

extension SplitMix {
    /// 0 to below 1.
    mutating func unit() -> Double { Double(next() >> 11) / Double(1 << 53) }

    /// Exponentially distributed.
    mutating func lifetime(_ mean: Double) -> Double { -mean * Double.log1m(unit()) }
}

extension Double {
    /// log(1 - x), by halving: Foundation is not needed for it.
    fileprivate static func log1m(_ value: Double) -> Double {
        // 1 - x = m × 2^e; log m by its series around 1
        let number = 1 - value
        let exponent = Double(number.exponent), mantissa = number.significand
        let ratio = (mantissa - 1) / (mantissa + 1)
        var sum = 0.0, power = ratio
        for term in 0..<20 {
            sum += power / Double(2 * term + 1)
            power *= ratio * ratio
        }
        return 2 * sum + exponent * 0.693_147_180_559_945_3
    }
}

/// Looks at synthetic histories as memleak looks at a program.
struct LeakSimulation {
    /// CLOCK_MONOTONIC of the start: no round number, and large.
    static let start: UInt64 = 86_400_000_000_123

    private(set) var history: LeakHistory<StackKey>
    private let stacks: [(blocks: [LeakShapeBlock], births: [Double], key: StackKey)]
    var unmatched: (Double) -> UInt64? = { _ in 0 }
    var weight = SampleWeight.oneIn(1)

    /// - Parameter shapes: a stack each.
    init(_ shapes: [[LeakShapeBlock]], patience: Double = 45) {
        history = LeakHistory(start: Self.start, patience: patience)
        stacks = shapes.enumerated().map { index, blocks in
            // what dies young is left out of every look, and counts as made
            (
                blocks.filter { $0.dies - $0.born > 0.5 }, blocks.map(\.born),
                StackKey(pid: 1, id: StackID(value: UInt64(index)))
            )
        }
    }

    static func nanoseconds(_ time: Double) -> UInt64 { start + UInt64(time * 1e9) }

    /// - Returns: each stack's trend, as of then.
    mutating func look(at time: Double) -> [StackTrend] {
        let now = Self.nanoseconds(time)
        let grid = history.grid(at: now)
        var table = OutstandingTable(youngest: now - 500_000_000, weight: weight, grid: grid)
        var made: [StackKey: UInt64] = [:]
        for (index, stack) in stacks.enumerated() {
            made[stack.key] = UInt64(stack.births.prefix { $0 <= time }.count)
            for (address, block) in stack.blocks.enumerated() where block.born <= time && block.dies > time {
                table.add(
                    pid: 1, address: UInt64(address), bytes: block.bytes, time: Self.nanoseconds(block.born),
                    stack: UInt64(index))
            }
        }
        var groups = StackGroups()
        for (site, sum) in table.sites { groups.add(site, sum, key: stacks[Int(site.stack)].key) }
        history.take(groups.sums, made: made, unmatched: unmatched(time), grid: grid)
        return stacks.map { history.trend(of: $0.key) }
    }
}
