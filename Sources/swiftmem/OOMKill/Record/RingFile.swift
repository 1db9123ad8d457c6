// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// The recorder's file: a head, a ring of frames, and a second ring with those around kills, which stay when the first
/// has long been overwritten. All of it is written at the start: a write later needs no memory but the file's page
/// cache, no room on the disk, and no change of where the file's blocks are, which a power cut could lose.
struct RingFile: ~Copyable {
    static let name = "oomkill.ring"
    /// The head: mark and version, padded with zeros.
    static let head: [UInt8] = Array("swiftmem oomkill 1\n".utf8)
    static let headSize = 4096
    /// Room for half an hour of samples with some hundred processes.
    static let ringSize = 24 << 20
    /// Room for some ten kills, on a busy machine.
    static let size = ringSize + 16 << 20
    /// Frames from before a kill that are kept with it: two minutes of samples.
    static let mostKept = 130

    /// A part of the file that is written round and round.
    private struct Ring {
        let part: Range<Int>
        /// Where the next frame goes.
        var place: Int

        /// The number of the last frame; nil: there is none.
        let last: UInt64?

        /// Behind the last frame of what is there.
        init(_ part: Range<Int>, of file: Int32) {
            self.part = part
            let end = OOMFrame.end(in: part) { RingFile.read(file, $0) }
            place = end?.place ?? part.lowerBound
            last = end?.number
        }

        /// Where a frame of so many bytes goes; nil: it is longer than the ring.
        mutating func take(_ count: Int) -> Int? {
            guard count <= part.count else { return nil }
            if place + count > part.upperBound { place = part.lowerBound }
            defer { place += count }
            return place
        }
    }

    private static let samplesPart = headSize..<ringSize
    private static let killsPart = ringSize..<size

    private let file: OwnedDescriptor
    private let path: FilePath
    private var number: UInt64
    private var samples: Ring
    private var kills: Ring
    /// The last frames of the first ring that are not in the second.
    private var unkept: [Range<Int>]

    /// Opens the file in a directory, which is made where there is none. Its frames stay: writing goes on behind the last
    /// one.
    ///
    /// - Throws: `Failure` where it can't be made, locked or allocated, or another recorder has it locked.
    init(in directory: String) throws(Failure) {
        let path = FilePath(directory).appending(Self.name)
        _ = mkdir(directory, 0o700)
        self.init(try Self.open(path), path)
    }

    /// Apart from what throws: Swift 6.2 fails on an initializer that does where there are fields to be destroyed.
    private init(_ file: consuming OwnedDescriptor, _ path: FilePath) {
        samples = Ring(Self.samplesPart, of: file.raw)
        kills = Ring(Self.killsPart, of: file.raw)
        number = [samples.last, kills.last].compactMap { $0 }.max().map { $0 &+ 1 } ?? 0
        unkept = []
        self.path = path
        self.file = file
    }

    /// The file, locked and whole.
    private static func open(_ path: FilePath) throws(Failure) -> OwnedDescriptor {
        let raw = Glibc.open(path.string, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard raw >= 0 else { throw Failure(cantRecord: path.string, errno) }
        let file = OwnedDescriptor(owning: raw)
        guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else {
            throw Failure(
                status: Failure.Status.unavailable, message: "\(Printable.text(path.string)): another recorder has it")
        }
        var status = stat()
        guard fstat(file.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(
                status: Failure.Status.usage, message: "\(Printable.text(path.string)) is no regular file")
        }
        try Self.fill(file.raw, from: Int(status.st_size), path)
        if Self.read(file.raw, 0..<Self.head.count) != Self.head {
            let count = Self.head.withUnsafeBytes { pwrite(file.raw, $0.baseAddress, $0.count, 0) }
            guard count == Self.head.count else { throw Failure(cantRecord: path.string, errno) }
        }
        // once: what is written later is in its place on the disk already
        guard fdatasync(file.raw) == 0 else { throw Failure(cantRecord: path.string, errno) }
        return file
    }

    /// Writes zeros to what the file lacks of its size.
    ///
    /// - Throws: `Failure` where the disk has no room; the file is then as it was.
    private static func fill(_ file: Int32, from old: Int, _ path: FilePath) throws(Failure) {
        guard old < size else { return }
        let allocated = posix_fallocate(file, 0, off_t(size))
        guard allocated == 0 else {
            ftruncate(file, off_t(old))
            throw Failure(cantRecord: path.string, allocated)
        }
        let zeros = [UInt8](repeating: 0, count: 1 << 18)
        var place = old
        while place < size {
            let count = zeros.withUnsafeBytes {
                pwrite(file, $0.baseAddress, min($0.count, size - place), off_t(place))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(cantRecord: path.string, errno) }
            place += count
        }
    }

    /// Writes a frame behind the last.
    ///
    /// - Throws: `Failure` where it can't be written.
    mutating func write(_ frame: OOMFrame) throws(Failure) {
        let bytes = frame.bytes(number: number)
        guard let place = samples.take(bytes.count) else { return }
        try write(bytes, at: place)
        number &+= 1
        if unkept.count >= Self.mostKept { unkept.removeFirst() }
        unkept.append(place..<(place + bytes.count))
    }

    /// Copies the last frames to where they stay.
    ///
    /// - Throws: `Failure` where they can't be written.
    mutating func keep() throws(Failure) {
        for part in unkept {
            let bytes = Self.read(file.raw, part)
            guard bytes.count == part.count, let place = kills.take(part.count) else { continue }
            try write(bytes, at: place)
        }
        unkept = []
    }

    /// The bytes there, or as many as can be read.
    private static func read(_ file: Int32, _ part: Range<Int>) -> [UInt8] {
        // SAFETY: `done` bytes of the buffer are written, and no more are told
        [UInt8](unsafeUninitializedCapacity: part.count) { buffer, done in
            done = 0
            while done < part.count {
                let count = pread(
                    file, buffer.baseAddress?.advanced(by: done), part.count - done, off_t(part.lowerBound + done))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                done += count
            }
        }
    }

    private func write(_ bytes: [UInt8], at place: Int) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(file.raw, $0.baseAddress?.advanced(by: done), $0.count - done, off_t(place + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(cantRecord: path.string, errno) }
            done += count
        }
        // begins to write it to disk, and does not wait
        clinux_begin_writing(file.raw, Int64(place), Int64(bytes.count))
    }

    /// All frames in a directory's file, by time; a recorder may be writing it.
    ///
    /// - Throws: `Failure` where there is no such file.
    static func read(_ directory: String) throws(Failure) -> [OOMFrame] {
        let path = FilePath(directory).appending(name)
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try OpenFile(regular: path).readAll(limit: size + 1)
        } catch {
            throw Failure(
                cantRead: error,
                remedy: "record first: swiftmem oomkill --record DIRECTORY; then --explain latest --from DIRECTORY")
        }
        guard bytes.starts(with: head) else {
            throw Failure(
                status: Failure.Status.usage,
                message: "\(Printable.text(path.string)) was not written by swiftmem oomkill --record")
        }
        return OOMFrame.all(in: bytes)
    }
}
