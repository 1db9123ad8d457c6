// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct LeakSumBytes {
    private func again(_ sum: OutstandingSum, since now: UInt64 = 1000) throws -> OutstandingSum {
        var writer = ByteWriter()
        writer.add(sum, since: now)
        var reader = ByteReader(writer.bytes[...])
        let read = reader.sum(since: now)
        return try #require(read)
    }

    @Test("each bin that has anything is kept, be it allocations alone or bytes alone")
    func bins() throws {
        var ages = AgeProfile()
        (ages.counts[0], ages.bytes[0]) = (1, 10)
        (ages.counts[3], ages.bytes[5]) = (2, 7)
        (ages.counts[AgeGrid.bins], ages.bytes[AgeGrid.bins]) = (4, 5)
        (ages.recorded, ages.squares, ages.stillSettled, ages.stillOld) = (1, 2, 3, 4)
        (ages.settled, ages.old, ages.births, ages.birthSquares) = (5, 6, 7, 8)
        ages.oldest = 900
        ages.survivors = [Double](repeating: 9, count: LeakHistory<StackKey>.ages.count)
        var sum = OutstandingSum()
        (sum.bytes, sum.count, sum.oldestTime, sum.ages) = (11, 3, 900, ages)
        #expect(try again(sum) == sum)
    }

    @Test("without ages, estimated or not; no oldest")
    func plain() throws {
        var sum = OutstandingSum()
        (sum.bytes, sum.count) = (1, 2)
        #expect(try again(sum) == sum)
        (sum.isEstimated, sum.bytesVariance, sum.countVariance, sum.sampleCount) = (true, 1.5, 2.5, 3)
        #expect(try again(sum) == sum)
        sum.oldestTime = 7
        #expect(try again(sum) == sum)
    }
}

@Suite struct LeakRecordWords {
    @Test("why the sampling rate is what it is")
    func sampling() {
        func text(_ rate: UInt64, before: UInt64, isMet: Bool = true) -> String {
            LeakSampling(
                time: WallTime(nanoseconds: 0), overheadPercent: 2.5, rate: rate, before: before, isMet: isMet
            ).text
        }
        let head = "the programs took 2.5 % of the CPUs' time: "
        #expect(text(16, before: 4) == head + "from now on 1 allocation in 16 is recorded (--max-overhead)")
        #expect(text(4, before: 16) == head + "again 1 allocation in 4 is recorded (--max-overhead)")
        #expect(text(4, before: 4) == head + "below the limit again (--max-overhead)")
        #expect(
            text(64, before: 64, isMet: false)
                == head + "the limit can't be met, for frees are seen whatever the rate; "
                + "1 allocation in 64 is recorded (--max-overhead)")
    }

    @Test("captured stacks of one key are one; the largest's frames stand for it, whatever their order")
    func groups() {
        let key = StackKey(pid: 1, id: StackID(value: 9)), other = StackKey(pid: 2, id: StackID(value: 9))
        func sum(_ bytes: UInt64) -> OutstandingSum {
            var sum = OutstandingSum()
            (sum.bytes, sum.count) = (bytes, 1)
            return sum
        }
        let sites: [(stack: UInt64, bytes: UInt64)] = [(1, 5), (2, 7), (3, 7), (4, 6)]
        for order in [sites, sites.reversed(), [sites[2], sites[0], sites[3], sites[1]]] {
            var groups = StackGroups()
            for site in order { groups.add(AllocationSite(pid: 1, stack: site.stack), sum(site.bytes), key: key) }
            groups.add(AllocationSite(pid: 2, stack: 1), sum(3), key: other)
            #expect(groups.sums[key]?.bytes == 25 && groups.sums[key]?.count == 4)
            #expect(groups.members[key]?.largest == AllocationSite(pid: 1, stack: 3))
            #expect(groups.members[key]?.bytes == 7 && groups.members[key]?.count == 4)
            #expect(groups.members[other]?.count == 1 && groups.sums[other]?.bytes == 3)
        }
    }

    @Test("changes of equal bytes: by allocations, then by id")
    func equalChanges() {
        func stack(_ id: UInt64, _ bytes: UInt64, _ count: UInt64) -> MemLeakStack {
            var sum = OutstandingSum()
            (sum.bytes, sum.count) = (bytes, count)
            return MemLeakStack(pid: 7, comm: "a", id: StackID(value: id), sum: sum, frames: nil)
        }
        func profile(_ stacks: MemLeakStack...) -> LeakProfile {
            LeakProfile(stacks: stacks, time: WallTime(nanoseconds: 0), watched: 1, target: "x")
        }
        let diff = LeakDiff(
            before: profile(stack(4, 10, 1), stack(5, 10, 3)),
            after: profile(stack(1, 10, 1), stack(2, 10, 2), stack(3, 10, 2), stack(5, 10, 2)))
        #expect(diff.rows.map(\.stack.id.value) == [2, 3, 1, 4, 5])
        #expect(diff.rows.map(\.change) == [.new, .new, .new, .gone, .shrank] && diff.same == 0)
    }
}
