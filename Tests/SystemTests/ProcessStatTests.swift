// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SystemLayer

/// What a process of that name and state would have in its /proc/PID/stat.
private func line(comm: [UInt8], state: String = "S", threads: Int = 3, start: UInt64 = 123_456) -> [UInt8] {
    let behind = " \(state) 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 \(threads) 0 \(start) 99 100 18446744073709551615\n"
    return Array("7 (".utf8) + comm + Array(")\(behind)".utf8)
}

@Suite struct ProcessStatTests {
    @Test(
        "a process's name may hold anything",
        arguments: [
            "plain", "", "a b", ")", ") Z 1 1 1", "((", "a\nb", ") S (",
            ") R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19",
        ])
    func hostileName(comm: String) throws {
        let stat = try #require(ProcessStat(line(comm: Array(comm.utf8))))
        #expect(stat.comm == Array(comm.utf8))
        #expect(stat.state == "S")
        #expect(stat.threadCount == 3)
        #expect(stat.startTicks == 123_456)
    }

    @Test("bytes that are not UTF-8 are kept")
    func binaryName() throws {
        let comm: [UInt8] = [0xff, 0x29, 0xfe, 0x20, 0xc3, 0x28]
        #expect(try #require(ProcessStat(line(comm: comm))).comm == comm)
    }

    @Test("what is cut anywhere before the start time is no process")
    func truncated() {
        let whole = line(comm: Array("x) (y".utf8))
        let start = Array(" 123456 ".utf8)
        guard let end = whole.indices.first(where: { whole[$0...].starts(with: start) }) else {
            Issue.record("the line has no start time")
            return
        }
        for count in 0...end { #expect(ProcessStat(Array(whole.prefix(count))) == nil, "\(count) bytes") }
        #expect(ProcessStat(Array(whole.prefix(end + start.count)))?.startTicks == 123_456)
    }

    @Test("garbage", arguments: ["", "\n", "7", "()", ")(", "7 (x)", "7 (x) S", "7 x S 1 7 7 0"])
    func garbage(text: String) {
        #expect(ProcessStat(Array(text.utf8)) == nil)
    }

    @Test("numbers beyond 64 bits, and words in their place")
    func notNumbers() {
        func with(_ start: String) -> ProcessStat? {
            ProcessStat(Array("7 (x) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 \(start) 99\n".utf8))
        }
        #expect(with("18446744073709551615")?.startTicks == .max)
        #expect(with("18446744073709551616") == nil)
        #expect(with("-1") == nil)
        #expect(with("x") == nil)
    }

    @Test(
        "alive while any thread runs",
        arguments: [
            ("R", 1, true), ("S", 1, true), ("T", 2, true), ("Z", 1, false), ("Z", 2, true), ("X", 1, false),
            ("X", 2, false),
        ])
    func alive(state: String, threads: Int, isAlive: Bool) throws {
        let stat = try #require(ProcessStat(line(comm: [0x61], state: state, threads: threads)))
        #expect(stat.isAlive == isAlive)
    }

    @Test(
        "a kernel thread has no program: PF_KTHREAD",
        arguments: [("2129984", true), ("4194560", false), ("69238880", true)])
    func kernelThread(flags: String, isOne: Bool) throws {
        let text = "7 (x) I 2 0 0 0 -1 \(flags) 0 0 0 0 6 7 8 20 0 20 0 1 0 5 0 0\n"
        #expect(try #require(ProcessStat(Array(text.utf8))).isKernelThread == isOne)
    }
}
