// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A process that grew before a kill.
public struct OOMGrower: Hashable, Sendable {
    public var pid: UInt32
    public var comm: String
    public var cgroup: CgroupPath?
    /// Memory at the kill.
    public var bytes: UInt64
    /// The rate of the growth that ended in the kill, or of the last one.
    public var bytesPerSecond: Double
    /// When that growth began.
    public var since: WallTime
    /// When it ended; nil: it went on to the kill.
    public var until: WallTime?
    /// Growth in the last half minute.
    public var recentBytes: UInt64
    /// Growth since `since`.
    public var grownBytes: UInt64
    /// Growth, of which what lies ten seconds further back counts half: who is behind a kill is the one with the most.
    public var weight = 0.0

    /// A process's memory at one moment.
    struct Point: Hashable {
        var time: WallTime
        var bytes: UInt64
        /// Not at its turn, as the others are, a second apart: a process's start, or its kill.
        var isBetween = false
    }

    static let recent: Int64 = 30_000_000_000
    /// A growth has ended once the process has not grown for so long.
    static let rest: Int64 = 5_000_000_000
    /// A change of fewer bytes is ignored.
    static let change: UInt64 = 64 << 10

    /// The growth that a series of points ends in; nil: there is none of a MiB and more.
    ///
    /// A growth ends where the series falls, or rests for five seconds.
    ///
    /// - Parameter points: by time.
    static func growth(_ points: [Point]) -> OOMGrower? {
        guard let last = points.last, let segment = lastGrowth(points) else { return nil }
        let (begin, end) = (segment.lowerBound, segment.upperBound)
        let grown = points[end].bytes - points[begin].bytes
        guard grown >= 1 << 20 else { return nil }
        // it began somewhere between the first two points
        let from = end - begin >= 3 && points[begin + 1].bytes >= points[begin].bytes ? begin + 1 : begin
        let seconds = Double(points[end].time.nanoseconds - points[from].time.nanoseconds) / 1e9
        guard seconds > 0, points[end].bytes > points[from].bytes else { return nil }
        let line = line(points[from...end], from: points[begin].bytes)
        let rate = line?.rate ?? Double(points[end].bytes - points[from].bytes) / seconds
        let before = Double(points[from].bytes - points[begin].bytes) / rate * 1e9
        let began = line?.began ?? points[from].time.nanoseconds - Int64(min(before, 1e15))
        let old = points.last { last.time.nanoseconds - $0.time.nanoseconds >= recent } ?? points[0]
        return OOMGrower(
            pid: 0, comm: "", cgroup: nil, bytes: last.bytes, bytesPerSecond: rate,
            since: WallTime(nanoseconds: max(began, points[begin].time.nanoseconds)),
            until: last.time.nanoseconds - points[end].time.nanoseconds > rest ? points[end].time : nil,
            recentBytes: last.bytes > old.bytes ? last.bytes - old.bytes : 0, grownBytes: grown,
            weight: weight(points))
    }

    /// The line through most points that are higher than those before: one that grows in steps of two seconds is as high in
    /// between as just after a step. It is the median of the slopes over half of them, so that what a process took at its
    /// start, or in one leap, does not bend it.
    ///
    /// - Parameter lowest: the line begins at this height.
    /// - Returns: nil where there are too few.
    private static func line(_ points: ArraySlice<Point>, from lowest: UInt64) -> (rate: Double, began: Int64)? {
        var higher: [Point] = []
        for point in points where !point.isBetween {
            if point.bytes > higher.last?.bytes.addingCapped(change) ?? 0 { higher.append(point) }
        }
        guard higher.count >= 4 else { return nil }
        let rate = median(
            zip(higher, higher.dropFirst(higher.count / 2)).map { one, other in
                Double(other.bytes - one.bytes) / (Double(other.time.nanoseconds - one.time.nanoseconds) / 1e9)
            })
        guard rate > 0, rate.isFinite else { return nil }
        let began = median(
            higher.map {
                Double($0.time.nanoseconds - higher[0].time.nanoseconds) - (Double($0.bytes) - Double(lowest)) / rate
                    * 1e9
            })
        return (rate, higher[0].time.nanoseconds + Int64(max(-1e15, min(began, 1e15))))
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
    }

    private static func weight(_ points: [Point]) -> Double {
        guard let last = points.last else { return 0 }
        var sum = 0.0
        for (before, point) in zip(points, points.dropFirst()) {
            let age = Double(last.time.nanoseconds - point.time.nanoseconds) / 1e9
            sum += (Double(point.bytes) - Double(before.bytes)) * exp2(-age / 10)
        }
        return sum
    }

    /// From the point at which the last growth began to that at which it ended; nil: there is none.
    private static func lastGrowth(_ points: [Point]) -> ClosedRange<Int>? {
        guard let last = points.last,
            let top = points.lastIndex(where: { last.bytes > $0.bytes.addingCapped(change) })
        else { return nil }
        // down to where it fell; what a process gives back and takes again in passing is no fall
        let fall = max(last.bytes / 64, 4 * change)
        var begin = top
        while begin > 0, points[begin - 1].bytes <= points[begin].bytes.addingCapped(fall) { begin -= 1 }
        // up to the last rest
        var higher = begin
        for index in begin...top {
            if points[index].bytes > points[higher].bytes.addingCapped(change) {
                higher = index
            } else if points[index].time.nanoseconds - points[higher].time.nanoseconds > rest {
                (begin, higher) = (index, index)
            }
        }
        // and up to where it began to grow
        let lowest = points[begin].bytes
        while begin < top, points[begin + 1].bytes <= lowest.addingCapped(change) { begin += 1 }
        guard points[top + 1].bytes > points[begin].bytes else { return nil }
        return begin...(top + 1)
    }
}
