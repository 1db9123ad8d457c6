// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct LeakTracks {
    /// Blocks of ten bytes, born at these moments.
    private func sum(_ births: [UInt64], _ grid: AgeGrid) -> OutstandingSum {
        var sum = OutstandingSum()
        for born in births { sum.add(bytes: 10, time: born, weight: .oneIn(1), grid: grid) }
        return sum
    }

    @Test("a point a look: what it saw; where there was nothing, zeros")
    func points() {
        var track = LeakTrack()
        let first = AgeGrid(now: 100, width: 10), second = AgeGrid(now: 200, width: 10, last: 100)
        track.take(sum([80, 95], first), made: 5, first, halfLife: 1e9)
        track.take(nil, made: nil, second, halfLife: 1e9)
        #expect(
            track.points == [
                LeakTrack.Point(time: 100, count: 2, bytes: 20, settled: 1, made: 5),
                LeakTrack.Point(time: 200, count: 0, bytes: 0, settled: 0, made: nil),
            ])
        #expect(track.lastSeen == 100)
        track.forget(looks: [100])
        #expect(track.points.map(\.time) == [200])
    }

    @Test("a quantity between looks is in proportion, before the first from 0 at the start, then the last")
    func values() {
        var track = LeakTrack()
        #expect(track.value(\.count, at: 50, start: 0) == 0)
        let grid = AgeGrid(now: 100, width: 10), next = AgeGrid(now: 200, width: 10, last: 100)
        track.take(sum([1, 2], grid), made: 4, grid, halfLife: 1e9)
        track.take(sum([1, 2, 3, 4, 5, 6], next), made: 9, next, halfLife: 1e9)
        #expect(track.value(\.count, at: 100, start: 0) == 2 && track.value(\.count, at: 150, start: 0) == 4)
        #expect(track.value(\.count, at: 50, start: 0) == 1 && track.value(\.count, at: 75, start: 50) == 1)
        #expect(track.value(\.bytes, at: 125, start: 0) == 30 && track.value(\.count, at: 999, start: 0) == 6)
        #expect(track.value(\.count, at: 50, start: 50) == 0 && track.value(\.count, at: 40, start: 50) == 0)
        #expect(track.value(\.count, at: 100, start: 99) == 2)
        #expect(track.made(at: 100) == 4 && track.made(at: 200) == 9 && track.made(at: 99) == 0)
        #expect(track.made(at: 150) == nil && track.made(at: 201) == nil)
    }

    @Test("deaths of what had settled; they fade by half in a half-life; eight or more at once are a drop")
    func deaths() {
        var track = LeakTrack()
        let looks = (1...4).map { AgeGrid(now: UInt64($0) * 100, width: 10, last: $0 > 1 ? UInt64($0 - 1) * 100 : nil) }
        let eight = (11...18).map { UInt64($0) }
        track.take(sum(eight, looks[0]), made: nil, looks[0], halfLife: 100)
        #expect(track.settledDeaths == 0 && track.dropped == nil)
        track.take(sum(Array(eight.suffix(4)), looks[1]), made: nil, looks[1], halfLife: 100)
        #expect(track.settledDeaths == 4 && track.oldDeaths == 4)
        #expect(track.dropped == 200 && track.longestTooth == 4)
        // four are too few for a drop
        track.take(nil, made: nil, looks[2], halfLife: 100)
        #expect(track.settledDeaths == 2 + 4 && track.oldDeaths == 2 + 4)
        #expect(track.dropped == 200 && track.longestTooth == 4)
        track.take(nil, made: nil, looks[3], halfLife: 100)
        #expect(track.settledDeaths == 3 && track.lastSeen == 200)
    }

    @Test("fewer than half of them are no drop; a tooth is as long as the oldest that is left is younger")
    func teeth() {
        let first = AgeGrid(now: 100, width: 10), second = AgeGrid(now: 200, width: 10, last: 100)
        let births = (11...20).map { UInt64($0) }
        var few = LeakTrack()
        few.take(sum(births, first), made: nil, first, halfLife: 100)
        few.take(sum(Array(births.dropFirst(4)), second), made: nil, second, halfLife: 100)
        #expect(few.settledDeaths == 4 && few.dropped == nil && few.longestTooth == 0)
        var all = LeakTrack()
        all.take(sum(births, first), made: nil, first, halfLife: 100)
        all.take(nil, made: nil, second, halfLife: 100)
        #expect(all.settledDeaths == 10 && all.dropped == 200 && all.longestTooth == 189)
    }
}
