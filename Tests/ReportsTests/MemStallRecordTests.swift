// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

/// What the kernel side keeps, as Swift values: causes, counters, stalls that go on.
@Suite struct MemStallRecordTests: MemStallSamples {
    private func key(
        _ tid: UInt32, _ cause: memstall_cause = MEMSTALL_MEMCG_MAX, start: UInt64 = 1, limit: UInt64 = 0
    ) -> memstall_key {
        memstall_key(
            start_ns: start, cgroup: 3, limit_cgroup: limit, kernel_stack: 0, user_stack: 0, pid: 7, tid: tid,
            cause: cause.rawValue, padding: 0)
    }

    @Test("every cause of the kernel side has its name, once")
    func causes() {
        #expect(MemStallCause.allCases.count == MemStallCause.kernelCauses)
        #expect(Set(MemStallCause.allCases.map(\.name)).count == MemStallCause.kernelCauses)
        #expect(MemStallCause(rawValue: MEMSTALL_MEMCG_HIGH.rawValue) == .memcgHigh)
        #expect(MemStallCause(rawValue: MEMSTALL_DIRTY_THROTTLE.rawValue) == .dirtyThrottle)
        #expect(MemStallCause(rawValue: MEMSTALL_ASKED.rawValue) == .asked)
        #expect(MemStallKey(key(1, memstall_cause(rawValue: 999))).cause == .other)
        #expect(MemStallKey(key(5, limit: 8)).record.limit_cgroup == 8 && MemStallKey(key(5)).record.tid == 5)
    }

    @Test("a record's longest stall is that of the epoch asked for")
    func epochs() {
        var record = memstall_counters()
        (record.count, record.stalled_ns, record.psi_ns, record.off_cpu_ns) = (4, 50, 40, 30)
        record.reclaimed_pages = 6
        (record.longest_ns, record.epoch) = ((20, 11), (2, 3))
        withUnsafeMutableBytes(of: &record.comm) { $0.copyBytes(from: Array("hog".utf8)) }
        let now = MemStallCounters(record, epoch: 3)
        #expect(now.longestNanoseconds == 11 && now.comm == "hog" && now.count == 4 && now.psiNanoseconds == 40)
        #expect(MemStallCounters(record, epoch: 2).longestNanoseconds == 20)
        #expect(MemStallCounters(record, epoch: 4).longestNanoseconds == 0)
    }

    private func task(pieces: [(memstall_cause, memstall_kind, own: UInt64, off: UInt64)]) -> memstall_task {
        var task = memstall_task()
        (task.pid, task.tid, task.start_ns, task.cgroup, task.wanted) = (7, 9, 1, 3, 1)
        task.depth = UInt32(pieces.count)
        task.since_ns = 1000
        withUnsafeMutableBytes(of: &task.pieces) { bytes in
            let slots = bytes.bindMemory(to: memstall_piece.self)
            for (index, piece) in zip(slots.indices, pieces) {
                slots[index].cause = piece.0.rawValue
                slots[index].kind = piece.1.rawValue
                (slots[index].own_ns, slots[index].off_ns, slots[index].psi) = (piece.own, piece.off, 1)
            }
        }
        return task
    }

    @Test("what goes on counts up to now, the innermost's alone; who is filtered out or may not sleep has none")
    func goingOn() {
        var task = task(pieces: [
            (MEMSTALL_SWAPIN, MEMSTALL_BY_PSI, 5, 1), (MEMSTALL_MEMCG_MAX, MEMSTALL_BY_MEMCG, 7, 2),
        ])
        let on = MemStallPiece.pieces(task, at: 1100)
        #expect(on.map(\.own) == [5, 107] && on.map(\.off) == [1, 2] && on.map(\.key.cause) == [.swapin, .memcgMax])
        task.off_since_ns = 1040
        #expect(MemStallPiece.pieces(task, at: 1100).map(\.off) == [1, 62])
        // a clock that was read before the task's own last change
        #expect(MemStallPiece.pieces(task, at: 900).map(\.own) == [5, 7])
        task.wanted = 0
        #expect(MemStallPiece.pieces(task, at: 1100).isEmpty)
        var writer = self.task(pieces: [(MEMSTALL_DIRTY_THROTTLE, MEMSTALL_BY_DIRTY, 0, 0)])
        #expect(MemStallPiece.pieces(writer, at: 1100).isEmpty)
        writer.off_since_ns = 1010
        #expect(MemStallPiece.pieces(writer, at: 1100).map(\.own) == [100])
        writer.depth = 99
        #expect(MemStallPiece.pieces(writer, at: 1100).count <= Int(MEMSTALL_DEPTH))
    }

    @Test("a stall that is read as going on and then is in no reading for a moment counts once")
    func ledger() {
        func reading(_ ns: UInt64, count: UInt64) -> [MemStallKey: MemStallCounters] {
            var counters = MemStallCounters()
            (counters.stalledNanoseconds, counters.count) = (ns, count)
            return [MemStallKey(key(1)): counters]
        }
        var ledger = MemStallLedger(from: reading(100, count: 1))
        #expect(ledger.advance(to: reading(900, count: 1)).map(\.counters.stalledNanoseconds) == [800])
        #expect(ledger.advance(to: reading(200, count: 1)).isEmpty)
        let last = ledger.advance(to: reading(1000, count: 2))
        #expect(last.map(\.counters.stalledNanoseconds) == [100] && last.map(\.counters.count) == [1])
        let other = ledger.advance(to: [
            MemStallKey(key(1, start: 2)): reading(5, count: 1).values.first ?? MemStallCounters()
        ])
        #expect(other.map(\.counters.stalledNanoseconds) == [5])
        ledger.forget(MemStallKey(key(1, start: 2)))
        #expect(ledger.keys.isEmpty)
    }
}
