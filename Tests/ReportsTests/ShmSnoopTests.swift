// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct ShmFlagNames {
    @Test(
        "System V's flags, the page size as the field it is",
        arguments: [
            (UInt32(0), "0x0"), (0o1666, "0x3b6 (IPC_CREAT|0666)"),
            (0o3600, "0x780 (IPC_CREAT|IPC_EXCL|0600)"),
            (21 << 26 | 0o5600, "0x54000b80 (IPC_CREAT|SHM_HUGETLB|SHM_HUGE_2MB|0600)"),
            (30 << 26 | 0o4000, "0x78000800 (SHM_HUGETLB|SHM_HUGE_1GB)"),
            (16 << 26 | 0o14000, "0x40001800 (SHM_HUGETLB|SHM_NORESERVE|SHM_HUGE_64KB)"),
            (63 << 26, "0xfc000000 (SHM_HUGE_8EB)"),
            (0o101600, "0x8380 (IPC_CREAT|0100600)"),
        ] as [(UInt32, String)])
    func shmget(flags: UInt32, text: String) { #expect(FlagNames.shmget.text(flags) == text) }

    @Test func shmat() {
        #expect(FlagNames.shmat.text(0o170000) == "0xf000 (SHM_RDONLY|SHM_RND|SHM_REMAP|SHM_EXEC)")
        #expect(FlagNames.shmat.names(of: 0o130000) == ["SHM_RDONLY", "SHM_RND", "SHM_EXEC"])
    }

    @Test("the other calls' flags")
    func others() {
        #expect(FlagNames.mmap.names(of: 0x21) == ["MAP_SHARED", "MAP_ANONYMOUS"])
        #expect(FlagNames.mmap.names(of: 0x3) == ["MAP_SHARED_VALIDATE"])
        #expect(FlagNames.memfd.names(of: 0x8003) == ["MFD_CLOEXEC", "MFD_ALLOW_SEALING", "0x8000"])
        #expect(FlagNames.seals.names(of: 0x1f).count == 5)
        #expect(FlagNames.open.names(of: 2 | 0o100 | 0o200) == ["O_RDWR", "O_CREAT", "O_EXCL"])
        #expect(FlagNames.open.names(of: 0).isEmpty)
    }

    @Test(
        "commands, with what 32-bit callers add",
        arguments: [
            (UInt32(0), "IPC_RMID"), (2, "IPC_STAT"), (0x102, "IPC_STAT|IPC_64"), (13, "SHM_STAT"),
            (15, "SHM_STAT_ANY"),
            (4711, nil),
        ] as [(UInt32, String?)])
    func commands(number: UInt32, name: String?) { #expect(FlagNames.shmctlCommand(number) == name) }

    @Test(
        "errors by name",
        arguments: [
            (Int32(1), "EPERM"), (22, "EINVAL"), (43, "EIDRM"), (75, "EOVERFLOW"), (95, "EOPNOTSUPP"),
            (133, "EHWPOISON"),
            (41, nil), (0, nil), (-5, nil), (134, nil),
        ] as [(Int32, String?)])
    func errors(number: Int32, name: String?) { #expect(ErrnoName.name(number) == name) }
}

@Suite struct ShmCalls {
    private func call(
        _ kind: shm_call_kind, _ arguments: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64), result: Int64,
        comm: String = "app", duration: UInt64 = .max, flags: UInt32 = 0, name: String? = nil
    ) throws -> ShmCall {
        var record = shm_event()
        record.time_ns = 5_000_000_000
        record.duration_ns = duration
        record.result = result
        record.arguments = arguments
        record.pid = 7
        record.tid = 8
        record.call = kind.rawValue
        record.flags = flags
        withUnsafeMutableBytes(of: &record.comm) { $0.copyBytes(from: comm.utf8.prefix(15)) }
        return try #require(ShmCall(record: record, name: name))
    }

    @Test("bcc's columns and arguments")
    func text() throws {
        var text = ShmCallText()
        #expect(text.header == "PID    COMM                SYS              RET ARGs")
        #expect(
            text.line(try call(SHM_CALL_GET, (0xffff_ffff_dead_beef, 4096, 0o1666, 0, 0, 0), result: 0x1f))
                == "7      app              SHMGET               1f key: 0xdeadbeef, size: 4096, shmflg: 0x3b6 (IPC_CREAT|0666)"
        )
        #expect(
            text.line(try call(SHM_CALL_AT, (3, 0, 0, 0, 0, 0), result: 0x7f00_0000_0000))
                == "7      app               SHMAT     7f0000000000 shmid: 0x3, shmaddr: 0x0, shmflg: 0x0")
        #expect(
            text.line(try call(SHM_CALL_DT, (0x1000, 0, 0, 0, 0, 0), result: -22))
                == "7      app               SHMDT           EINVAL shmaddr: 0x1000")
        #expect(
            text.line(try call(SHM_CALL_CTL, (UInt64.max, 0, 0, 0, 0, 0), result: -43))
                == "7      app              SHMCTL            EIDRM shmid: 0xffffffff, cmd: 0 (IPC_RMID), buf: 0x0")
    }

    @Test("time since the first call, thread, latency, 32-bit")
    func options() throws {
        var text = ShmCallText(timestamps: true, threads: true, latency: true)
        #expect(text.header == "TIME(s)       TID    COMM                SYS              RET   LAT(us) ARGs")
        let one = try call(SHM_CALL_DT, (0, 0, 0, 0, 0, 0), result: 0, duration: 1500, flags: SHM_CALL_COMPAT.rawValue)
        #expect(
            text.line(one)
                == "0.000000000   8      app               SHMDT                0       1.5 shmaddr: 0x0 [32-bit]")
        var later = one
        later.time += 1_000_000_001
        later.durationNanoseconds = nil
        #expect(text.line(later).hasPrefix("1.000000001   8      "))
        #expect(text.line(later).contains("         - shmaddr"))
    }

    @Test("names from outside are spelt out")
    func hostile() throws {
        var text = ShmCallText(all: true)
        let line = text.line(
            try call(SHM_CALL_MEMFD, (1, 0, 0, 0, 0, 0), result: 3, comm: "\u{1b}]0;x\u{7}", name: "a\nb\u{1b}[2J"))
        #expect(!line.unicodeScalars.contains { $0.value < 32 })
        #expect(line.hasSuffix("flags: 0x1 (MFD_CLOEXEC), name: a\\nb\\x1b[2J"))
    }

    @Test("rename has two names")
    func rename() throws {
        var record = shm_renamed_event()
        record.named.event.call = SHM_CALL_RENAME.rawValue
        record.named.event.flags = SHM_CALL_NAMED.rawValue | SHM_CALL_RENAMED.rawValue
        withUnsafeMutableBytes(of: &record.named.name) { $0.copyBytes(from: "old\u{7}".utf8) }
        withUnsafeMutableBytes(of: &record.new_name) { $0.copyBytes(from: "/tmp/new".utf8) }
        guard case .returned(let call)? = ShmSnoopEvent(bytesOf: record) else {
            Issue.record("no call")
            return
        }
        #expect(call.kind == .rename && call.name == "old\u{7}" && call.newName == "/tmp/new")
        #expect(ShmCallText.arguments(of: call) == "flags: 0x0, name: old\\x07, new name: /tmp/new")
        #expect(
            ShmCallJSON.line(call, time: WallTime(nanoseconds: 0)).checkedText()
                .hasSuffix(#""compat":false,"name":"old\u0007","new_name":"/tmp/new"}"#))
        #expect(ShmSnoopEvent(bytesOf: record.named) == nil)
    }

    @Test("an address in the upper half is no error, the last page's is")
    func errors() throws {
        #expect(try call(SHM_CALL_AT, (0, 0, 0, 0, 0, 0), result: -4096).error == nil)
        #expect(try call(SHM_CALL_AT, (0, 0, 0, 0, 0, 0), result: -4095).errorName == "4095")
        #expect(ShmCall(record: shm_event(), name: nil) == nil)
    }

    /// What each kind of call has of its own, as it stands in JSON.
    static let own: [(shm_call_kind, [UInt64], [String])] = [
        (
            SHM_CALL_AT, [3, 0x1000, 0o10000, 0, 0, 0],
            [#""shmid":3,"#, #""address":"0x1000","#, #""flags":["SHM_RDONLY"]"#]
        ),
        (SHM_CALL_DT, [0x2000, 0, 0, 0, 0, 0], [#""address":"0x2000","#, #""flags":null"#]),
        (SHM_CALL_CTL, [4, 0, 0x3000, 0, 0, 0], [#""shmid":4,"#, #""address":"0x3000","#, #""cmd":"IPC_RMID""#]),
        (SHM_CALL_CTL, [4, 4711, 0, 0, 0, 0], [#""cmd":"4711""#]),
        (SHM_CALL_OPEN, [0o102, 0o600, 0, 0, 0, 0], [#""flags":["O_RDWR","O_CREAT"]"#]),
        (SHM_CALL_MEMFD, [3, 0, 0, 0, 0, 0], [#""flags":["MFD_CLOEXEC","MFD_ALLOW_SEALING"]"#]),
        (SHM_CALL_TRUNCATE, [5, 9000, 0, 0, 0, 0], [#""size_bytes":9000,"#]),
        (
            SHM_CALL_FCNTL, [6, 1033, 6, 0, 0, 0],
            [#""cmd":"F_ADD_SEALS""#, #""flags":["F_SEAL_SHRINK","F_SEAL_GROW"]"#]
        ),
        (SHM_CALL_FCNTL, [6, 1034, 6, 0, 0, 0], [#""cmd":"F_GET_SEALS""#, #""flags":null"#]),
        (
            SHM_CALL_MMAP, [0x4000, 4096, 3, 1, 7, 0],
            [#""address":"0x4000","#, #""size_bytes":4096,"#, #""flags":["MAP_SHARED"]"#]
        ),
        (SHM_CALL_RENAME, [1, 0, 0, 0, 0, 0], [#""flags":["RENAME_NOREPLACE"]"#]),
        (SHM_CALL_MUNMAP, [0x5000, 4096, 0, 0, 0, 0], [#""address":"0x5000","#, #""size_bytes":4096,"#]),
    ]

    @Test("JSON: what a call has of its own", arguments: own.indices)
    func jsonOfKinds(index: Int) throws {
        let (kind, a, expected) = Self.own[index]
        let call = try call(kind, (a[0], a[1], a[2], a[3], a[4], a[5]), result: 0)
        let line = ShmCallJSON.line(call, time: WallTime(nanoseconds: 0)).checkedText()
        for part in expected { #expect(line.contains(part), "\(line)") }
    }

    @Test("JSON: the schema's keys for every call")
    func json() throws {
        let line = ShmCallJSON.line(
            try call(SHM_CALL_GET, (UInt64(UInt32(bitPattern: -2)), 8192, 0o1600, 0, 0, 0), result: -17),
            time: WallTime(nanoseconds: 0)
        ).checkedText()
        #expect(
            line
                == #"{"type":"shmsnoop","time":"1970-01-01T00:00:00.000000000Z","pid":7,"tid":8,"comm":"app","call":"shmget","ret":-1,"ret_address":null,"errno":"EEXIST","key":-2,"shmid":null,"size_bytes":8192,"address":null,"flags":["IPC_CREAT","0600"],"cmd":null,"duration_ns":null,"compat":false}"#
        )
    }
}

@Suite struct ShmSegments {
    static let heading =
        "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n"

    @Test("a segment by the heading's columns")
    func parse() throws {
        let text =
            Self.heading
            + " 918650636  614989838  3644                100000 23238  0    2     5     0     6     0          0          0 1795249621                 4096                 8192\n"
        let segment = try #require(ShmSegment.parse(text).first)
        #expect(segment.key == 918_650_636 && segment.shmid == 614_989_838)
        #expect(segment.mode & 0o777 == 0o644 && segment.isDestroyed && segment.isLocked)
        #expect(segment.sizeBytes == 100_000 && segment.attachCount == 2)
        #expect(segment.uid == 5 && segment.creatorUID == 6 && segment.creatorPID == 23238)
        #expect(segment.rssBytes == 4096 && segment.swapBytes == 8192)
    }

    @Test(
        "hostile text gives nothing, or what is whole",
        arguments: [
            "", "\n", "key", "key shmid\n1 2\n", heading, heading + "x y z\n",
            heading + "1 2 644 99999999999999999999999 1 1 0 0 0 0 0 0 0 0 0 0\n",
        ])
    func hostile(text: String) { #expect(ShmSegment.parse(text).isEmpty) }

    @Test("attached segments by a process's maps")
    func maps() {
        let text = """
            7f0000000000-7f0000001000 rw-s 00000000 00:01 614989838                  /SYSV36c17f0c (deleted)
            7f0000002000-7f0000003000 rw-s 00000000 00:01 12                         /memfd:SYSV (deleted)
            7f0000002000-7f0000003000 rw-p 00000000 fe:00 13                         /SYSVfile
            7f0000004000-7f0000005000 rw-p 00000000 00:00 0
            rw-s rw-s
            """
        #expect(ShmSegment.attached(maps: text) == [614_989_838])
        #expect(ShmSegment.attached(maps: "").isEmpty)
    }

    @Test("an orphan is attached by nobody and its creator is gone")
    func orphan() throws {
        let text = Self.heading + "0 3 600 4096 12 0 0 0 0 0 0 0 0 0 0 0\n"
        let segment = try #require(ShmSegment.parse(text).first)
        var row = ShmSegmentRow(segment: segment, namespace: 9, creatorComm: nil, creatorIsAlive: false, attached: [])
        #expect(row.isOrphan)
        #expect(
            ShmSegmentText.line(row)
                == "0x00000000        3      0   600          4          0         0      0 9          12 gone                  -"
        )
        row.segment.attachCount = 1
        #expect(!row.isOrphan)
        row.segment.attachCount = 0
        row.creatorIsAlive = true
        #expect(!row.isOrphan)
    }
}
