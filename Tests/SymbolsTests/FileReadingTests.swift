// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemLayer
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

/// What files may cost: to the byte, and as near as a clock tells.
@Suite struct FileReadingTests {
    private func reading(_ change: (inout FileReading.Limits) -> Void = { _ in }) -> FileReading {
        var limits = FileReading.Limits()
        change(&limits)
        return FileReading(limits: limits)
    }

    private func identity(owner: UInt32 = 1000, mode: mode_t = 0o755, device: dev_t? = nil, inode: ino_t = 1) throws
        -> FileIdentity
    {
        var status = try OpenFile(reading: "/proc/self/exe").status()
        (status.st_uid, status.st_mode, status.st_ino) = (owner, S_IFREG | mode, inode)
        if let device { status.st_dev = device }
        return FileIdentity(status)
    }

    // MARK: memory

    @Test("a file's tables: what it has on disk is its own, beyond that it shares; all of it comes back")
    func shares() {
        let reading = reading { ($0.mostBytes, $0.sharedBytes) = (1000, 100) }
        do {
            let share = FileShare(reading, onDisk: 500)
            #expect(share.take(500) && reading.bytes == 500 && reading.sharedBytes == 0)
            #expect(share.take(100) && reading.bytes == 600 && reading.sharedBytes == 100)
            #expect(!share.take(1) && reading.bytes == 600 && reading.sharedBytes == 100)
            share.give(50)
            #expect(reading.bytes == 550 && reading.sharedBytes == 50)
            share.give(60)
            #expect(reading.bytes == 490 && reading.sharedBytes == 0)
            #expect(share.take(0) && !share.take(-1))
            let other = FileShare(reading, onDisk: 1000)
            #expect(other.take(510) && !other.take(1) && reading.bytes == 1000)
        }
        #expect(reading.bytes == 0 && reading.sharedBytes == 0)
    }

    @Test("bytes on disk: no more than the file has, and none for a hole")
    func onDisk() throws {
        var status = stat()
        (status.st_size, status.st_blocks) = (1000, 1)
        #expect(FileShare(reading(), status).onDisk == 512)
        status.st_blocks = 8
        #expect(FileShare(reading(), status).onDisk == 1000)
        status.st_blocks = 0
        #expect(FileShare(reading(), status).onDisk == 0)
    }

    @Test("no single table is larger than 4 GiB")
    func largest() {
        let reading = reading { ($0.mostBytes, $0.sharedBytes) = (.max / 2, .max / 2) }
        #expect(FileShare(reading, onDisk: 0).take(Int(Int32.max) * 2))
        #expect(!FileShare(reading, onDisk: 0).take(Int(Int32.max) * 2 + 1))
    }

    // MARK: time

    private static var cpuTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// Works until the file's time is spent; gives how long that took, `most` where it is not spent by then.
    private func spent(_ reading: FileReading, _ file: FileIdentity?, most: Duration) throws -> Duration {
        try reading.timed(file) { () throws(SymbolError) -> Duration in
            let begun = Self.cpuTime
            while Self.cpuTime - begun < most { if reading.isSpent { return Self.cpuTime - begun } }
            return most
        }
    }

    private static let enough = Duration.milliseconds(40)

    @Test("a file's time: all its readings together; another file has its own, no file has no bound")
    func fileTime() throws {
        let reading = reading { $0.fileTime = .milliseconds(60) }
        let (file, other) = (try identity(), try identity(inode: 2))
        #expect(try spent(reading, file, most: Self.enough) == Self.enough)
        #expect(try spent(reading, file, most: Self.enough) < .milliseconds(25))
        #expect(try spent(reading, other, most: Self.enough) == Self.enough)
        #expect(try spent(reading, nil, most: .milliseconds(80)) == .milliseconds(80))
        #expect(!reading.isSpent)
    }

    @Test("readings too short to matter are not counted")
    func short() throws {
        let reading = reading { $0.fileTime = .milliseconds(30) }
        for _ in 0..<8 { #expect(try spent(reading, identity(), most: .milliseconds(6)) == .milliseconds(6)) }
    }

    @Test("a user's files together, and all of them; the system's own count for neither")
    func sources() throws {
        var status = stat()
        try #require(stat("/", &status) == 0)
        for limit in [\FileReading.Limits.sourceTime, \.runTime] {
            func isBounded(_ file: FileIdentity) throws -> Bool {
                try spent(reading { $0[keyPath: limit] = .zero }, file, most: Self.enough) < Self.enough
            }
            #expect(try isBounded(identity()))
            #expect(try !isBounded(identity(owner: 0, device: status.st_dev)))
            #expect(try isBounded(identity(owner: 0, mode: 0o775, device: status.st_dev)))
            #expect(try isBounded(identity(owner: 0, device: status.st_dev + 77)))
            #expect(try isBounded(identity(owner: 1, device: status.st_dev)))
        }
    }

    @Test("what one file took is missing to the next: of its user, of all users; a twentieth of the time comes to it")
    func remaining() throws {
        for (limit, owner) in [(\FileReading.Limits.sourceTime, 1000), (\.runTime, 1001)]
            as [(
                WritableKeyPath<FileReading.Limits, Duration>, UInt32
            )]
        {
            let begun = ContinuousClock.now
            let reading = reading { $0[keyPath: limit] = .milliseconds(80) }
            #expect(try spent(reading, identity(inode: 1), most: .milliseconds(60)) == .milliseconds(60))
            let more = begun.duration(to: .now) / 20
            let second = try spent(reading, identity(owner: owner, inode: 2), most: .seconds(1))
            let bound = Duration.milliseconds(20) + begun.duration(to: .now) / 20 + .milliseconds(5)
            #expect(second > .milliseconds(15) && second <= bound, "\(second), \(more)")
        }
        let reading = reading { $0.sourceTime = .milliseconds(60) }
        for owner in [1000, 1001] as [UInt32] {
            #expect(try spent(reading, identity(owner: owner), most: Self.enough) == Self.enough)
        }
    }

    @Test("the clock is asked at the first step and at each thousand and twenty-fourth")
    func steps() throws {
        let reading = reading { $0.fileTime = .zero }
        let allowed = try reading.timed(identity()) { () throws(SymbolError) in
            [0, 1, 2, 512, 1023, 1024, 1025, 2048].map { reading.allows(step: $0) }
        }
        #expect(allowed == [false, true, true, true, true, false, true, false])
        #expect(reading.allows(step: 0))
    }

    @Test("a reading within another one is of that one's time")
    func nested() throws {
        let reading = reading { $0.fileTime = .zero }
        let outer = self.reading()
        #expect(
            try outer.timed(identity()) { () throws(SymbolError) in try outer.timed(nil) { outer.isSpent } } == false)
        let spent = try reading.timed(identity()) { () throws(SymbolError) in
            try reading.timed(nil) { () throws(SymbolError) in reading.isSpent }
        }
        #expect(spent)
    }

    // MARK: what was left out

    @Test("each omission once; the first 64 are kept, all are counted")
    func omissions() {
        let reading = reading()
        reading.omit("/a", .names, .time)
        reading.omit("/a", .names, .time)
        reading.omit("/a", .lines, .time)
        reading.omit("/a", .names, .memory, functions: ["f"])
        #expect(reading.omissionCount == 3 && reading.omissions.map(\.part) == [.names, .lines, .names])
        for index in 0..<100 { reading.omit(FilePath("/b\(index)"), .names, .time) }
        #expect(reading.omissionCount == 103 && reading.omissions.count == 64)
    }

    @Test("errors: what is left out and what can't be opened; not what is gone or no ELF file")
    func errors() {
        let reading = reading()
        func system(_ code: Int32) -> SymbolError { .system(operation: "open", path: "/x", errno: code) }
        let none: [SymbolError] = [system(ENOENT), system(ESRCH), .malformedELF(path: "/x", reason: "")]
        for error in none { reading.omit("/x", .names, error) }
        #expect(reading.omissions.isEmpty)
        reading.omit("/x", .names, system(EACCES))
        reading.omit("/x", .names, .leftOut(path: "/x", reason: .memory))
        #expect(reading.omissions.map(\.reason) == [.unreadable(EACCES), .memory])
        #expect(reading.omissions.map(\.reason.key) == ["unreadable", "memory"])
    }
}
