// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

/// What a run may spend on files.
@Suite struct FileReadingTests {
    private func reading(_ change: (inout FileReading.Limits) -> Void) -> FileReading {
        var limits = FileReading.Limits()
        change(&limits)
        return FileReading(limits: limits)
    }

    private func file(_ text: String) throws -> (TemporaryFile, FileIdentity) {
        let file = try TemporaryFile(Array(text.utf8))
        return (file, try FileIdentity(path: file.path))
    }

    private func work(until reading: FileReading) -> Bool {
        let clock = ContinuousClock()
        let began = clock.now
        while began.duration(to: clock.now) < .seconds(5) { if reading.isSpent { return true } }
        return false
    }

    @Test("a file's time is one for all that it is read for; another file has its own")
    func time() throws {
        let reading = reading { $0.fileTime = .milliseconds(50) }
        let (first, one) = try file("a"), (second, two) = try file("b")
        #expect(try reading.timed(one) { () throws(SymbolError) in work(until: reading) })
        #expect(try reading.timed(one) { () throws(SymbolError) in reading.isSpent })
        #expect(try !reading.timed(two) { () throws(SymbolError) in reading.isSpent })
        #expect(!reading.isSpent)
        _ = (first, second)
    }

    @Test("one user's files have a share of a run's time, which the system's own don't need")
    func sources() throws {
        guard geteuid() == 0 else { return try skip("root, to give files away") }
        let reading = reading {
            $0.sourceTime = .milliseconds(50)
            $0.runTime = .milliseconds(80)
            $0.share = 0
        }
        func given(_ owner: UInt32) throws -> (TemporaryFile, FileIdentity) {
            let (file, _) = try file("a")
            try #require(file.path.withPlatformString { chown($0, owner, owner) } == 0)
            return (file, try FileIdentity(path: file.path))
        }
        let (a, first) = try given(65534), (b, second) = try given(65534), (c, third) = try given(12345)
        #expect(try reading.timed(first) { () throws(SymbolError) in work(until: reading) })
        #expect(try reading.timed(second) { () throws(SymbolError) in reading.isSpent })
        #expect(try !reading.timed(third) { () throws(SymbolError) in reading.isSpent })
        #expect(try reading.timed(third) { () throws(SymbolError) in work(until: reading) })
        #expect(FileSource(try FileIdentity(path: "/usr/bin/env")).isSystem)
        #expect(!FileSource(first).isSystem)
        #expect(try !reading.timed(FileIdentity(path: "/usr/bin/env")) { () throws(SymbolError) in reading.isSpent })
        _ = (a, b, c)
    }

    @Test("a file's tables may be as large as it is on disk, and what they are beyond is of all files together")
    func memory() {
        let reading = reading {
            $0.sharedBytes = 1000
            $0.mostBytes = 5000
        }
        do {
            let first = FileShare(reading, onDisk: 400), second = FileShare(reading, onDisk: 0)
            #expect(first.take(400) && reading.sharedBytes == 0)
            #expect(first.take(600) && reading.sharedBytes == 600)
            #expect(!second.take(401) && second.take(400))
            first.give(700)
            #expect(reading.sharedBytes == 400 && reading.bytes == 700)
            #expect(!FileShare(reading, onDisk: 1 << 20).take(4301))
            #expect(!second.take(-1) && !second.take(.max))
        }
        #expect(reading.bytes == 0 && reading.sharedBytes == 0)
    }

    @Test("what is left out is said once, and counted where it is too much to name")
    func omissions() {
        let reading = FileReading()
        for number in 0..<100 {
            reading.omit(FilePath("/tmp/\(number % 80)"), .names, .time)
            reading.omit("/tmp/gone", .names, .system(operation: "open", path: "", errno: ENOENT))
            reading.omit("/tmp/text", .names, .malformedELF(path: "", reason: ""))
        }
        #expect(reading.omissionCount == 80)
        #expect(reading.omissions.count == FileReading.mostOmissions)
        #expect(reading.omissions.first?.path == "/tmp/0")
        reading.omit("/tmp/held", .allocators, .system(operation: "open", path: "", errno: EAGAIN))
        #expect(reading.omissionCount == 81)
    }
}
