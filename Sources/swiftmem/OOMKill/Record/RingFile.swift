// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// The recorder's file: a head, then a ring of frames. Its blocks are allocated at the start, so that a write needs no
/// memory but the file's page cache.
struct RingFile: ~Copyable {
    static let name = "oomkill.ring"
    /// The head: mark and version, padded with zeros.
    static let head: [UInt8] = Array("swiftmem oomkill 1\n".utf8)
    static let start = 4096
    /// Room for half an hour of samples with some hundred processes.
    static let size = 24 << 20

    private let file: OwnedDescriptor
    private let path: FilePath
    private var number: UInt64
    private var place: Int

    /// Opens the file in a directory, which is made where there is none. Its frames stay: writing goes on behind the last
    /// one.
    ///
    /// - Throws: `Failure` where it can't be made, locked or allocated, or another recorder has it locked.
    init(in directory: String) throws(Failure) {
        let path = FilePath(directory).appending(Self.name)
        _ = mkdir(directory, 0o700)
        let raw = open(path.string, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
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
        let allocated = posix_fallocate(file.raw, 0, off_t(Self.size))
        guard allocated == 0 else { throw Failure(cantRecord: path.string, allocated) }
        // the file that is locked, whatever its name leads to by now
        guard let bytes = readBytes(FilePath("/proc/self/fd/\(file.raw)")), bytes.count >= Self.start else {
            throw Failure(cantRecord: path.string, errno)
        }
        var (number, place): (UInt64, Int) = (0, Self.start)
        if bytes.starts(with: Self.head) {
            if let end = OOMFrame.end(of: bytes, from: Self.start) { (number, place) = (end.number + 1, end.place) }
        } else {
            let count = Self.head.withUnsafeBytes { pwrite(file.raw, $0.baseAddress, $0.count, 0) }
            guard count == Self.head.count else { throw Failure(cantRecord: path.string, errno) }
        }
        self.file = file
        self.path = path
        self.number = number
        self.place = place
    }

    /// Writes a frame behind the last.
    ///
    /// - Throws: `Failure` where it can't be written.
    mutating func write(_ frame: OOMFrame) throws(Failure) {
        let bytes = frame.bytes(number: number)
        guard bytes.count <= Self.size - Self.start else { return }
        if place + bytes.count > Self.size { place = Self.start }
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
        number += 1
        place += bytes.count
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
