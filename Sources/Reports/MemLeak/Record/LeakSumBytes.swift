// SPDX-License-Identifier: Apache-2.0

extension ByteWriter {
    /// A sum, its times relative to a time.
    mutating func add(_ sum: OutstandingSum, since now: UInt64) {
        add(short: sum.bytes)
        add(short: sum.count)
        add(optional: sum.oldestTime.map { now &- $0 })
        add(sum.isEstimated)
        if sum.isEstimated {
            add(sum.bytesVariance)
            add(sum.countVariance)
            add(optional: sum.sampleCount)
        }
        add(sum.ages != nil)
        if let ages = sum.ages { add(ages, since: now) }
    }

    /// Only the bins that are not empty, which are few.
    private mutating func add(_ ages: AgeProfile, since now: UInt64) {
        let bins = ages.counts.indices.filter { ages.counts[$0] != 0 || ages.bytes[$0] != 0 }
        add(short: UInt64(bins.count))
        for bin in bins {
            add(short: UInt64(bin))
            add(ages.counts[bin])
            add(ages.bytes[bin])
        }
        for number in [
            ages.recorded, ages.squares, ages.stillSettled, ages.stillOld, ages.settled, ages.old, ages.births,
            ages.birthSquares,
        ] { add(number) }
        add(short: now &- ages.oldest)
        add(short: UInt64(ages.survivors.count))
        for number in ages.survivors { add(number) }
    }
}

extension ByteReader {
    mutating func sum(since now: UInt64) -> OutstandingSum? {
        var sum = OutstandingSum()
        guard let bytes = short(), let count = short(), let age = optional(), let isEstimated = flag() else {
            return nil
        }
        (sum.bytes, sum.count, sum.oldestTime, sum.isEstimated) = (bytes, count, age.map { now &- $0 }, isEstimated)
        if isEstimated {
            guard let bytes = double(), let count = double(), let samples = optional() else { return nil }
            (sum.bytesVariance, sum.countVariance, sum.sampleCount) = (bytes, count, samples)
        }
        guard let hasAges = flag() else { return nil }
        if hasAges {
            guard let ages = ages(since: now) else { return nil }
            sum.ages = ages
        }
        return sum
    }

    private mutating func ages(since now: UInt64) -> AgeProfile? {
        var ages = AgeProfile()
        guard let bins = count() else { return nil }
        for _ in 0..<bins {
            guard let bin = short(), bin < UInt64(ages.counts.count), let count = double(), let bytes = double() else {
                return nil
            }
            ages.counts[Int(bin)] = count
            ages.bytes[Int(bin)] = bytes
        }
        guard let recorded = double(), let squares = double(), let stillSettled = double(), let stillOld = double(),
            let settled = double(), let old = double(), let births = double(), let birthSquares = double(),
            let age = short(), let survivors = count(), survivors == 0 || survivors == LeakHistory<StackKey>.ages.count
        else { return nil }
        (ages.recorded, ages.squares, ages.stillSettled, ages.stillOld) = (recorded, squares, stillSettled, stillOld)
        (ages.settled, ages.old, ages.births, ages.birthSquares) = (settled, old, births, birthSquares)
        ages.oldest = now &- age
        guard ages.oldest <= now || ages.oldest == .max else { return nil }
        for _ in 0..<survivors {
            guard let number = double() else { return nil }
            ages.survivors.append(number)
        }
        return ages
    }
}
