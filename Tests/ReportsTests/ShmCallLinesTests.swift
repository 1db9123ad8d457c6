// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct ShmCallLines {
    private func call(
        _ kind: ShmCall.Kind, _ arguments: [UInt64], result: Int64 = 0, name: String? = nil, isCompat: Bool = false
    ) -> ShmCall {
        ShmCall(
            time: 1, pid: 41, tid: 42, comm: "app", kind: kind, result: result, arguments: arguments, name: name,
            durationNanoseconds: 1250, compat: isCompat)
    }

    private var calls: [ShmCall] {
        let minusOne = UInt64.max
        return [
            call(.shmget, [0xffff_ffff_0000_0011, 4097, 0xffff_ffff_0000_03b6, 0, 0, 0], result: 0x1f),
            call(.shmat, [0xffff_ffff_0000_0003, 0x7f00_0000_1000, 0o10000, 0, 0, 0], result: 0x7f00_0000_2000),
            call(.shmat, [3, 0, 0, 0, 0, 0], result: -4096),
            call(.shmat, [3, 0, 0, 0, 0, 0], result: -13),
            call(.shmdt, [0x7f00_0000_2000, 9, 9, 9, 9, 9]),
            call(.shmctl, [7, 0x102, 0x3000, 0, 0, 0], isCompat: true),
            call(.shmctl, [7, 4711, 0, 0, 0, 0], result: -22),
            call(.open, [0o102, 0o107777, 0, 0, 0, 0], result: 3, name: "/a\nb"),
            call(.unlink, [0, 0, 0, 0, 0, 0], result: -2, name: "/gone"),
            call(.memfd, [3, 0, 0, 0, 0, 0], result: 5, name: "buffer"),
            call(.secret, [0x80000, 0, 0, 0, 0, 0], result: 6),
            call(.truncate, [5, minusOne, 0, 0, 0, 0], result: -524, name: "buffer"),
            call(.fcntl, [5, 1033, 6, 0, 0, 0], name: "buffer"),
            call(.fcntl, [5, 1034, 6, 0, 0, 0], result: 6),
            call(.fcntl, [5, 1035, 6, 0, 0, 0]),
            call(.mmap, [0x4000, 8192, 3, 1, minusOne, 4096], result: 0x7f00_0000_3000, name: "buffer"),
            call(.mmap, [0, 1 << 53, 1, 0x22, 5, 0], result: -4095),
            call(.munmap, [0x7f00_0000_3000, 8192, 0, 0, 0, 0]),
        ]
    }

    @Test("every kind of call, in every layout, with its heading")
    func text() throws {
        var layouts = [
            ShmCallText(), ShmCallText(all: true), ShmCallText(threads: true, latency: true, all: true),
            ShmCallText(timestamps: true, all: true),
        ]
        var lines: [String] = []
        for index in layouts.indices {
            lines.append(layouts[index].header)
            for call in calls { lines.append(layouts[index].line(call)) }
        }
        try GoldenFile("shmsnoop.txt").expect(lines)
    }

    @Test("every kind of call as JSON")
    func json() throws {
        let time = WallTime(nanoseconds: 0)
        try GoldenFile("shmsnoop-json.txt").expect(calls.map { ShmCallJSON.line($0, time: time).checkedText() })
    }

    @Test("only F_ADD_SEALS has seals, in text as in JSON")
    func seals() {
        #expect(ShmCallText.arguments(of: call(.fcntl, [6, 1034, 6, 0, 0, 0])) == "fd: 6, cmd: 1034 (F_GET_SEALS)")
        #expect(
            ShmCallText.arguments(of: call(.fcntl, [6, 1033, 6, 0, 0, 0]))
                == "fd: 6, cmd: 1033 (F_ADD_SEALS), seals: 0x6 (F_SEAL_SHRINK|F_SEAL_GROW)")
    }

    @Test("times count from the first call, and go back where a later one returned earlier")
    func times() {
        var text = ShmCallText(timestamps: true)
        var one = call(.shmdt, [0, 0, 0, 0, 0, 0])
        one.time = 5_000_000_000
        #expect(text.line(one).hasPrefix("0.000000000   41     app "))
        one.time = 4_999_999_999
        #expect(text.line(one).hasPrefix("-0.000000001  41     app "))
    }

    @Test("errors are those of the last page, and no other number")
    func errors() {
        let results: [(Int64, Int32?)] = [(0, nil), (-1, 1), (-4095, 4095), (-4096, nil), (1, nil), (.min, nil)]
        for (result, error) in results { #expect(call(.shmdt, [], result: result).error == error) }
    }

    @Test("a record becomes a call: the name only where it says so, and the flags each for itself")
    func decoding() throws {
        var record = shm_named_event()
        record.event.call = SHM_CALL_MEMFD.rawValue
        (record.event.pid, record.event.tid, record.event.time_ns) = (1, 2, 3)
        (record.event.duration_ns, record.event.result) = (UInt64.max - 1, -22)
        record.event.arguments = (1, 2, 3, 4, 5, 6)
        withUnsafeMutableBytes(of: &record.name) { $0.copyBytes(from: "n\0x".utf8) }
        guard case .returned(let unnamed)? = ShmSnoopEvent(bytesOf: record) else { throw NotDecoded() }
        #expect(unnamed.name == nil && !unnamed.compat && unnamed.durationNanoseconds == UInt64.max - 1)
        #expect(unnamed.arguments == [1, 2, 3, 4, 5, 6] && unnamed.pid == 1 && unnamed.tid == 2 && unnamed.time == 3)
        record.event.flags = SHM_CALL_NAMED.rawValue
        guard case .returned(let named)? = ShmSnoopEvent(bytesOf: record) else { throw NotDecoded() }
        #expect(named.name == "n" && !named.compat)
        record.event.flags = SHM_CALL_COMPAT.rawValue
        guard case .returned(let compat)? = ShmSnoopEvent(bytesOf: record) else { throw NotDecoded() }
        #expect(compat.name == nil && compat.compat)
    }
}

@Suite struct ShmSegmentLines {
    private func segment(
        key: Int32 = 0x11, shmid: Int32 = 3, mode: UInt32 = 0o644, size: UInt64 = 4096, creator: UInt32 = 12,
        attached: UInt64 = 0, rss: UInt64? = nil, swap: UInt64? = nil
    ) -> ShmSegment {
        ShmSegment(
            key: key, shmid: shmid, mode: mode, sizeBytes: size, creatorPID: creator, lastPID: 0,
            attachCount: attached, uid: 1000, creatorUID: 0, changed: 0, rssBytes: rss, swapBytes: swap)
    }

    private func row(
        _ segment: ShmSegment, namespace: UInt64? = nil, comm: String? = nil, isAlive: Bool = false,
        attached: [ShmSegmentRow.Process] = []
    ) -> ShmSegmentRow {
        ShmSegmentRow(
            segment: segment, namespace: namespace, creatorComm: comm, creatorIsAlive: isAlive, attached: attached)
    }

    @Test("the list: sizes rounded up, states, creators, and who has it attached")
    func golden() throws {
        let rows = [
            row(segment()), row(segment(key: -2, creator: 0), namespace: 4_026_531_839),
            row(segment(key: 0, size: 0, rss: 0, swap: 1), comm: "maker\u{1b}", isAlive: true),
            row(
                segment(size: 1024, attached: 2, rss: 1025, swap: 2048), isAlive: true,
                attached: [.init(pid: 5, comm: "x\n"), .init(pid: 6, comm: nil)]),
            row(segment(mode: 0o1600)), row(segment(mode: 0o2600)),
            row(segment(mode: 0o3777), attached: [.init(pid: 9, comm: "z")]),
            row(segment(key: .min, shmid: .max, size: .max - 1023, creator: .max, attached: .max), namespace: .max),
        ]
        try GoldenFile("shm-segments.txt").expect([ShmSegmentText.header] + rows.map(ShmSegmentText.line))
    }

    @Test("states are a bit each")
    func states() {
        #expect(!segment().isDestroyed && !segment().isLocked)
        #expect(segment(mode: 0o1000).isDestroyed && !segment(mode: 0o1000).isLocked)
        #expect(!segment(mode: 0o2000).isDestroyed && segment(mode: 0o2000).isLocked)
    }

    private static let short = "key shmid perms size cpid lpid nattch uid cuid ctime\n"

    @Test("columns are found by their names, wherever they stand; the last two may be missing")
    func columns() throws {
        let lines = ShmSegment.parse(Self.short + "1 2 17 3 4 5 6 7 8 9\n0 1 2\n-1 3 600 1 1 1 1 1 1 -5\n")
        #expect(lines.count == 2)
        let first = try #require(lines.first)
        #expect(first.key == 1 && first.shmid == 2 && first.mode == 0o17 && first.sizeBytes == 3)
        #expect(first.creatorPID == 4 && first.lastPID == 5 && first.attachCount == 6 && first.uid == 7)
        #expect(first.creatorUID == 8 && first.changed == 9 && first.rssBytes == nil && first.swapBytes == nil)
        let turned = ShmSegment.parse(
            "ctime cuid uid nattch lpid cpid size perms shmid key key\n9 8 7 6 5 4 3 17 2 1 77\n")
        #expect(turned == [first])
        #expect(lines[1].changed == -5)
    }

    @Test("maps: shared mappings of files that begin with SYSV, by their inode, however short the line")
    func attached() {
        #expect(ShmSegment.attached(maps: "1-2 rw-s 0 0:1 7 /SYSV1\n1-2 r--s 0 0:1 8    /SYSV1 (deleted)\n") == [7, 8])
        #expect(ShmSegment.attached(maps: "1-2 rw-p 0 0:1 7 /SYSV1\n1-2 rw-s 0 0:1 7 /dev/SYSV1\n").isEmpty)
        #expect(ShmSegment.attached(maps: "1-2 rw-s 0 0:1 7\n1-2 rw-s 0 0:1 99999999999 /SYSV1\n").isEmpty)
    }
}
