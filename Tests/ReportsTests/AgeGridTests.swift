// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct AgeGrids {
    private let grid = AgeGrid(now: 1000, width: 10, last: 900, survival: [0..<500, 500..<951])

    @Test("bins: nine make a patience; 65 and one for all that is older")
    func bins() {
        #expect(AgeGrid.patience == 9 && AgeGrid.bins == 65)
        #expect(grid.bin(1000) == 0 && grid.bin(991) == 0 && grid.bin(990) == 1 && grid.bin(1001) == 0)
        #expect(grid.bin(351) == 64 && grid.bin(350) == 65 && grid.bin(0) == 65)
        #expect(AgeGrid(now: 5, width: 0).width == 1)
    }

    @Test("settled has outlived a bin, old half the patience")
    func ages() {
        #expect(grid.settled(at: 1000) == 990 && grid.settled(at: 11) == 1 && grid.settled(at: 10) == 0)
        #expect(grid.settled(at: 3) == 0)
        #expect(grid.old(at: 1000) == 955 && grid.old(at: 46) == 1 && grid.old(at: 45) == 0 && grid.old(at: 2) == 0)
    }

    @Test("a block goes into its bin, and is counted by what it has outlived, now and at the last look")
    func blocks() {
        var profile = AgeProfile()
        profile.add(bytes: 20, count: 2, born: 995, grid)  // new
        profile.add(bytes: 30, count: 3, born: 990, grid)  // settled now
        profile.add(bytes: 40, count: 4, born: 955, grid)  // old now
        profile.add(bytes: 50, count: 5, born: 890, grid)  // settled at the last look
        profile.add(bytes: 60, count: 6, born: 855, grid)  // old at the last look
        #expect(profile.counts[0] == 2 && profile.counts[1] == 3 && profile.counts[4] == 4)
        #expect(profile.bytes[0] == 20 && profile.bytes[1] == 30 && profile.bytes[11] == 50)
        #expect(profile.counts.reduce(0, +) == 20 && profile.bytes.reduce(0, +) == 200)
        #expect(profile.recorded == 5 && profile.squares == 9000)
        #expect(profile.settled == 18 && profile.old == 15 && profile.stillSettled == 11 && profile.stillOld == 6)
        #expect(profile.survivors == [0, 2] && profile.oldest == 855)
    }

    @Test("a first look has no last one")
    func first() {
        var profile = AgeProfile()
        profile.add(bytes: 20, count: 2, born: 10, AgeGrid(now: 1000, width: 10))
        #expect(profile.stillSettled == 0 && profile.stillOld == 0 && profile.survivors.isEmpty)
        #expect(profile.settled == 2 && profile.old == 2)
    }

    @Test("births' spread: their standard deviation in seconds")
    func spread() {
        let grid = AgeGrid(now: 100_000_000_000, width: 1_000_000_000)
        var profile = AgeProfile()
        #expect(profile.birthSpread == 0)
        for second in [90, 94] as [UInt64] { profile.add(bytes: 1, count: 1, born: second * 1_000_000_000, grid) }
        #expect(profile.births == 16 && profile.birthSquares == 136 && profile.birthSpread == 2)
    }

    @Test("two profiles of a look add up, field by field")
    func sum() {
        var one = AgeProfile(), other = AgeProfile()
        one.add(bytes: 20, count: 2, born: 855, grid)
        other.add(bytes: 30, count: 3, born: 955, grid)
        other.add(bytes: 40, count: 4, born: 499, grid)
        one.add(other)
        #expect(one.counts[14] == 2 && one.counts[4] == 3 && one.counts[50] == 4 && one.bytes[50] == 40)
        #expect(one.recorded == 3 && one.squares == 2900 && one.settled == 9 && one.old == 9)
        #expect(one.stillSettled == 6 && one.stillOld == 6 && one.oldest == 499)
        #expect(one.survivors == [1, 1])
        #expect(abs(one.births * 1e9 - 691) < 1e-6)
        var empty = AgeProfile()
        empty.add(other)
        #expect(empty.survivors == [1, 0])
    }
}
