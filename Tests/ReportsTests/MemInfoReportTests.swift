// SPDX-License-Identifier: Apache-2.0
import SystemLayer
import Testing

@testable import Reports

@Suite struct SharedMappings {
    private static let maps = """
        7f0000000000-7f0000100000 rw-s 00000000 00:01 1034                       /memfd:a b (deleted)
        7f0000100000-7f0000200000 rw-s 00100000 00:01 1034                       /memfd:a b (deleted)
        00400000-00401000 rw-s 00000000 00:01 77                                 /SYSV0000002a (deleted)
        7f0000300000-7f0000400000 rw-s 00000000 00:01 5                          /dev/zero (deleted)
        7f0000500000-7f0000600000 rw-s 00000000 00:1a 9                          /run/x (deleted)
        7f0000700000-7f0000800000 r-xp 00000000 fe:00 9                          /usr/bin/x
        7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
        garbage
        7f-7f rw-s 0 00:01 99999999999999999999 /x

        """

    @Test("one for each file of these devices, with its name in map_files")
    func mappings() {
        let found = SharedMapping.of(devices: ["00:01"], in: Array(Self.maps.utf8))
        #expect(found.map(\.inode) == [1034, 77, 5])
        #expect(found.map(\.range) == ["7f0000000000-7f0000100000", "400000-401000", "7f0000300000-7f0000400000"])
        #expect(found.map(\.path) == ["/memfd:a b (deleted)", "/SYSV0000002a (deleted)", "/dev/zero (deleted)"])
        #expect(found.map { SharedMemory.kind(ofHidden: $0.path) } == [.memfd, nil, .anonymous])
        #expect(SharedMapping.of(devices: ["00:01", "00:1a"], in: Array(Self.maps.utf8)).count == 4)
        #expect(SharedMemory.kind(ofHidden: "/i915 (deleted)") == .gpu)
        #expect(SharedMapping.of(devices: [], in: []).isEmpty)
    }

    @Test("mounts, their names unescaped, and what is in their way")
    func mounts() throws {
        let text = """
            22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
            30 22 0:25 / /run\\040x rw shared:2 master:3 - tmpfs tmpfs rw
            31 22 0:26 / /net rw - nfs4 server:/x rw
            32 31 0:27 / /net/tmp rw - tmpfs tmpfs rw
            33 22 0:6 / /dev rw - devtmpfs devtmpfs rw
            34 99 0:7 / /x rw tmpfs

            """
        let mounts = MountedFileSystem.parse(mountinfo: text)
        let byID = Dictionary(uniqueKeysWithValues: mounts.map { ($0.id, $0) })
        #expect(mounts.count == 5)
        let shared = mounts.filter(\.isShared)
        #expect(shared.map(\.path) == ["/run x", "/net/tmp", "/dev"])
        #expect(shared.map { $0.isBehindNetwork(byID, rootAnswers: true) } == [false, true, false])
        #expect(shared.map(\.device) == ["0:25", "0:27", "0:6"])
        // a root that is a server's answers this program, not every container's
        let remote = MountedFileSystem.parse(mountinfo: text.replacing("ext4", with: "9p"))
        let remoteByID = Dictionary(uniqueKeysWithValues: remote.map { ($0.id, $0) })
        let run = try #require(remote.first { $0.path == "/run x" })
        #expect(!run.isBehindNetwork(remoteByID, rootAnswers: true))
        #expect(run.isBehindNetwork(remoteByID, rootAnswers: false))
        // mounts that are each other's parents
        let loop = MountedFileSystem.parse(mountinfo: "1 2 0:1 / /a rw - tmpfs t rw\n2 1 0:2 / /b rw - tmpfs t rw\n")
        #expect(loop[0].isBehindNetwork([1: loop[0], 2: loop[1]], rootAnswers: true))
    }
}

@Suite struct MemInfoReports {
    private func report(_ change: String, to text: String, seconds: UInt64 = 3600) throws -> MemInfoReport {
        let first = try #require(MemoryLedger(MemInfoSample.reading()))
        let meminfo = MemInfoSample.meminfo.replacing(change, with: text)
        let now = try #require(MemoryLedger(MemInfoSample.reading(meminfo: meminfo, at: seconds)))
        return MemInfoReport(now, before: first, first: first)
    }

    @Test("changes since the last report, and the remainder's trend")
    func changes() throws {
        let report = try report("VmallocUsed:       20000", to: "VmallocUsed:      120000")
        #expect(report.change(.vmalloc) == 100_000 << 10)
        #expect(report.change(.anon) == 0)
        #expect(report.unaccountedChange == -100_000 << 10)
        #expect(report.unaccountedBytesPerSecond == Double(-100_000 << 10) / 3600)
        #expect(report.remainderMoves)
        let text = MemInfoText().lines(report)
        #expect(text.contains { $0.hasSuffix("; shrinking by 98 MB/h") })
        let steady = MemInfoText().lines(try self.report("x", to: "y"))
        #expect(steady.contains { $0.hasSuffix("; steady") })
    }

    @Test("the tree as text: aligned, below 80 columns, names from outside spelt out")
    func text() throws {
        let ledger = try #require(MemoryLedger(MemInfoSample.reading()))
        let lines = MemInfoText().lines(MemInfoReport(ledger))
        #expect(lines.first == "MB of 8192.0                                   MB   SHARE")
        #expect(lines.contains("  free lists                               4096.0   50.0%"))
        #expect(lines.contains("      cache\\x1b, process 7                 (30.0)"))
        #expect(lines.contains("  vmalloc                                    11.7    0.1%"))
        #expect(lines.allSatisfy { $0.count < 80 && !$0.unicodeScalars.contains { $0.value < 32 } })
        // what is 0 is not shown
        #expect(!lines.contains { $0.contains("balloon") })
        #expect(!MemInfoText(details: false).lines(MemInfoReport(ledger)).contains { $0.contains("process 7") })
    }

    @Test("hints: silent where nothing stands out, three at most")
    func hints() throws {
        let quiet = MemInfoSample.meminfo.replacing("MemTotal:        8388608", with: "MemTotal:        5900000")
        let ledger = try #require(MemoryLedger(MemInfoSample.reading(meminfo: quiet)))
        #expect(MemInfoHint.hints(MemInfoReport(ledger)).isEmpty)
        // 2 GB are in no counter
        let standing = try #require(MemoryLedger(MemInfoSample.reading()))
        #expect(MemInfoHint.hints(MemInfoReport(standing)).map(\.rule) == ["remainder_stands"])
        let growing = try report("MemTotal:        8388608", to: "MemTotal:        8488608")
        let hint = try #require(MemInfoHint.hints(growing).first)
        #expect(hint.rule == "remainder_grows")
        #expect(hint.fact == "what no counter owns grew by 98 MB, 98 MB/h")
    }

    @Test("who holds the shared memory, and what grew")
    func sharedHints() throws {
        let zoneinfo = MemInfoSample.zoneinfo.replacing("nr_shmem 25600", with: "nr_shmem 230400")
        let shared = SharedMemory(mounts: [.init(path: "/dev/shm", bytes: 880 << 20, isPosix: true)])
        let first = try #require(MemoryLedger(MemInfoSample.reading()))
        let now = try #require(MemoryLedger(MemInfoSample.reading(zoneinfo: zoneinfo, shared: shared, at: 1)))
        let standing = MemInfoHint.hints(MemInfoReport(now)).first { $0.rule == "shared_stands" }
        #expect(standing?.fact == "files in /dev/shm hold 880 MB; /dev/shm has 880 MB")
        #expect(standing?.command == "swiftmem meminfo --files")
        let grown = MemInfoHint.hints(MemInfoReport(now, before: first, first: first))
        #expect(grown.contains { $0.rule == "shared_grows" && $0.fact.hasPrefix("files in /dev/shm grew by 860 MB") })
    }

    @Test("long lines are broken at blanks")
    func wrapping() {
        let lines = wrapped(String(repeating: "word ", count: 40))
        #expect(lines.count == 3 && lines.allSatisfy { $0.count < 80 })
        #expect(lines[1].hasPrefix("  word"))
        #expect(wrapped("").isEmpty)
    }
}
