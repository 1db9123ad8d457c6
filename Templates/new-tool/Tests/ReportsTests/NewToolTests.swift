// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct NewToolReports {
    private func record(
        tasks: UInt64, threads: UInt64 = 0, seen: UInt64 = 1, comm: [UInt8] = Array("app".utf8)
    ) -> newtool_counters {
        var record = newtool_counters()
        (record.tasks, record.threads, record.seen_ns) = (tasks, threads, seen)
        withUnsafeMutableBytes(of: &record.comm) { $0.copyBytes(from: comm.prefix(16)) }
        return record
    }

    private func process(_ pid: UInt32, start: UInt64 = 1) -> NewToolProcess {
        NewToolProcess(newtool_key(start_ns: start, pid: pid, padding: 0))
    }

    private func interval(_ rows: [NewToolRow], seesThreads: Bool = true) -> NewToolInterval {
        NewToolInterval(
            time: GoldenRecord.time, intervalNanoseconds: 1_000_000_000, rows: rows, seesThreads: seesThreads,
            losses: Losses())
    }

    @Test("the CPUs are summed; the name is the latest's")
    func sum() {
        let counters = NewToolCounters(records: [
            record(tasks: 3, threads: 1, seen: 9, comm: Array("new".utf8)),
            record(tasks: 4, threads: 2, seen: 2, comm: Array("old".utf8)),
        ])
        #expect(counters.tasks == 7 && counters.threads == 3 && counters.comm == "new" && counters.seen == 9)
        #expect(NewToolCounters(records: []).tasks == 0)
    }

    @Test("an interval is what a reading adds, most first; who added nothing is not in it")
    func ledger() {
        func reading(_ counts: [(NewToolProcess, UInt64)]) -> [NewToolProcess: NewToolCounters] {
            let pairs = counts.map { ($0.0, NewToolCounters(records: [record(tasks: $0.1, threads: $0.1 / 2)])) }
            return Dictionary(uniqueKeysWithValues: pairs)
        }
        var ledger = NewToolLedger(from: reading([(process(1), 10), (process(2), 5)]), seesThreads: true)
        let rows = ledger.advance(
            to: reading([
                (process(1), 10), (process(2), 9), (process(4), 6), (process(3), 4), (process(2, start: 8), 1),
            ]))
        #expect(rows.map(\.pid) == [4, 2, 3, 2])
        #expect(rows.map(\.tasks) == [6, 4, 4, 1])
        #expect(rows.map(\.threads) == [3, 2, 2, 0])
        #expect(Set(ledger.processes.map(\.pid)) == [1, 2, 3, 4] && ledger.processes.count == 5)
        #expect(process(7, start: 8).key.pid == 7 && process(7, start: 8).key.start_ns == 8)
    }

    @Test("what can't be told is unknown, not 0")
    func unknown() {
        let counters = NewToolCounters(records: [record(tasks: 3)])
        var ledger = NewToolLedger(from: [:], seesThreads: false)
        let rows = ledger.advance(to: [process(1): counters])
        #expect(rows.map(\.threads) == [nil])
        #expect(interval(rows, seesThreads: false).threads == nil && interval([], seesThreads: false).threads == nil)
        #expect(interval([]).threads == 0)
    }

    @Test("text")
    func text() {
        let rows = [
            NewToolRow(pid: 4242, comm: "make", tasks: 12, threads: 3),
            NewToolRow(pid: 1, comm: "init\u{1b}[1m", tasks: 1, threads: nil),
        ]
        let text = NewToolText()
        #expect(text.header == "COMM             PID        TASKS  THREADS")
        #expect(
            text.lines(interval(rows)) == [
                "make             4242          12        3",
                #"init\x1b[1m      1              1        ?"#,
            ])
        let stamped = NewToolText(timestamps: true)
        #expect(stamped.header == "TIME     COMM             PID        TASKS  THREADS")
        #expect(stamped.lines(interval(rows)).allSatisfy { $0.contains(/^\d\d:\d\d:\d\d [mi]/) })
        #expect(text.lines(interval([])).isEmpty)
    }

    @Test(
        "whatever a record's bytes are: sums wrap, a name is fit for a terminal",
        arguments: [UInt8(0), 0x1b, 0x80, 0xff])
    func hostile(byte: UInt8) {
        var wild = newtool_counters()
        withUnsafeMutableBytes(of: &wild) { bytes in
            for index in bytes.indices { bytes[index] = byte }
        }
        let counters = NewToolCounters(records: [wild, wild])
        #expect(counters.tasks == wild.tasks &+ wild.tasks)
        #expect(counters.comm.unicodeScalars.count == (byte == 0 ? 0 : 16))
        let row = NewToolRow(pid: .max, comm: counters.comm, tasks: .max, threads: .max)
        let twice = interval([row, row])
        #expect(twice.tasks == UInt64.max - 1)
        for line in NewToolText().lines(twice) { #expect(!line.unicodeScalars.contains { $0.value < 32 }) }
    }
}

extension GoldenRecord {
    static let newtool = GoldenRecord(type: "newtool") {
        [true, false].map { isKnown in
            let rows = [
                NewToolRow(pid: 7, comm: "app\u{1b}", tasks: 12, threads: isKnown ? 3 : nil),
                NewToolRow(pid: 1, comm: "init", tasks: 1, threads: isKnown ? 0 : nil),
            ]
            return NewToolJSON.line(
                NewToolInterval(
                    time: time, intervalNanoseconds: 1_000_000_000, rows: rows, seesThreads: isKnown,
                    losses: Losses(counts: [0, 5])))
        }
    }
}
