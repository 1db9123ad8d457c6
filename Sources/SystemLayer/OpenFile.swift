// SPDX-License-Identifier: Apache-2.0
public import Glibc
public import SystemPackage

/// A file opened for reading.
public struct OpenFile: ~Copyable {
    /// As it was opened.
    public let path: FilePath
    private let owned: OwnedDescriptor

    /// For C libraries; valid while this lives.
    public var descriptor: CInt { owned.raw }

    /// Opens a file, never waiting: a FIFO planted at a library's path must not hang the tracer.
    ///
    /// - Throws: `FileError`, operation `open`.
    public init(reading path: FilePath) throws(FileError) { try self.init(reading: path, called: path) }

    /// - Parameter shown: what errors name.
    init(reading path: FilePath, called shown: FilePath) throws(FileError) {
        let neverWaits = FileDescriptor.OpenOptions(rawValue: O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        owned = OwnedDescriptor(
            owning: try calling("open", shown) { try FileDescriptor.open(path, .readOnly, options: neverWaits) })
        self.path = shown
    }

    /// Takes over a descriptor that is open for reading.
    ///
    /// - Parameter shown: what errors name.
    public init(owning raw: CInt, called shown: FilePath) {
        owned = OwnedDescriptor(owning: raw)
        path = shown
    }

    /// What fstat says.
    ///
    /// - Throws: `FileError`, operation `stat`.
    public borrowing func status() throws(FileError) -> stat {
        var status = stat()
        guard fstat(owned.raw, &status) == 0 else {
            throw FileError(operation: "stat", path: path, code: Errno(rawValue: errno))
        }
        return status
    }

    /// Fills `buffer` from `filled` on by one read; gives the number of bytes got, 0 at the end.
    ///
    /// - Throws: `FileError`, operation `read`.
    public borrowing func read(into buffer: inout [UInt8], from filled: Int) throws(FileError) -> Int {
        let descriptor = owned.descriptor
        return try calling("read", path) {
            try buffer.withUnsafeMutableBytes { try descriptor.read(into: .init(rebasing: $0[filled...])) }
        }
    }

    /// The whole content, for files without a length such as those in /proc.
    ///
    /// - Parameter limit: bytes that a file may have.
    /// - Throws: `FileError`, operation `read`; `fileTooLarge` where there is more than `limit`.
    public borrowing func readAll(limit: Int = .max) throws(FileError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: min(limit, 1 << 14))
        var filled = 0
        while true {
            if filled == buffer.count {
                guard filled < limit else {
                    throw FileError(operation: "read", path: path, code: .fileTooLarge)
                }
                buffer.append(contentsOf: repeatElement(0, count: min(filled, limit - filled)))
            }
            let got = try read(into: &buffer, from: filled)
            if got == 0 { break }
            filled += got
        }
        buffer.removeLast(buffer.count - filled)
        return buffer
    }

    /// Fills `buffer` from `offset` on; gives the number of bytes got, fewer where the file ends.
    ///
    /// - Throws: `FileError`, operation `read`.
    public borrowing func read(
        at offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FileError) -> Int {
        let descriptor = owned.descriptor
        var filled = 0
        while filled < buffer.count {
            let got = try calling("read", path) {
                try descriptor.read(
                    fromAbsoluteOffset: offset + Int64(filled), into: .init(rebasing: buffer[filled...]))
            }
            if got == 0 { break }
            filled += got
        }
        return filled
    }

    /// Up to `count` bytes from `offset`, fewer where the file ends.
    ///
    /// - Parameter offset: in bytes; in /proc/PID/mem an address, which may be above 2^63.
    /// - Throws: `FileError`, operation `read`.
    public borrowing func read(at offset: UInt64, count: Int) throws(FileError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        var filled = 0
        let descriptor = owned.descriptor
        while filled < count {
            let got = try calling("read", path) {
                try buffer.withUnsafeMutableBytes {
                    try descriptor.read(
                        fromAbsoluteOffset: Int64(truncatingIfNeeded: offset &+ UInt64(filled)),
                        into: .init(rebasing: $0[filled...]))
                }
            }
            if got == 0 { break }
            filled += got
        }
        buffer.removeLast(count - filled)
        return buffer
    }
}

/// A file's bytes, read to the end; nil where it can't be read.
public func readBytes(_ path: FilePath) -> [UInt8]? {
    do throws(FileError) {
        return try OpenFile(reading: path).readAll()
    } catch {
        return nil
    }
}

/// A file's text, read to the end, bytes that are not UTF-8 replaced; nil where it can't be read.
public func readText(_ path: FilePath) -> String? { readBytes(path).map { String(decoding: $0, as: UTF8.self) } }

/// The text of a file that is one line, as most of /sys are, without its newline; nil where it can't be read.
public func readOneLine(_ path: FilePath) -> String? {
    readText(path).map { $0.last == "\n" ? String($0.dropLast()) : $0 }
}
