// SPDX-License-Identifier: Apache-2.0
package import Glibc

/// Owner of one file descriptor opened for reading; closed at the end of its life.
package struct FileHandle: ~Copyable {
    package let descriptor: Int32
    package let path: BytePath

    /// Throws `.system`.
    package init(reading path: BytePath) throws(SymbolError) {
        var descriptor: Int32
        repeat {
            // O_NONBLOCK: a FIFO planted at a library's path must not hang the tracer.
            descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
        } while descriptor < 0 && errno == EINTR
        guard descriptor >= 0 else { throw .current("open", path) }
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Fills `buffer` from `filled` on by one read; gives the number of bytes got, 0 at the end.
    package borrowing func read(into buffer: inout [UInt8], from filled: Int) throws(SymbolError) -> Int {
        while true {
            // SAFETY: the kernel writes at most count - filled bytes, into the array's own storage.
            let got = buffer.withUnsafeMutableBytes { raw in
                Glibc.read(descriptor, raw.baseAddress.map { $0 + filled }, raw.count - filled)
            }
            if got >= 0 { return got }
            guard errno == EINTR else { throw .current("read", path) }
        }
    }

    /// The whole content, for files without a length such as those in /proc. Throws `.tooLarge` above `limit` bytes.
    package borrowing func readAll(limit: Int) throws(SymbolError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var filled = 0
        while true {
            if filled == buffer.count {
                guard filled < limit else { throw .tooLarge(path: path.description, limitBytes: limit) }
                buffer.append(contentsOf: repeatElement(0, count: min(filled, limit - filled)))
            }
            let got = try read(into: &buffer, from: filled)
            if got == 0 { break }
            filled += got
        }
        buffer.removeLast(buffer.count - filled)
        return buffer
    }
}

extension FileHandle {
    /// What fstat says. Throws `.system`.
    package borrowing func status() throws(SymbolError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .current("stat", path) }
        return status
    }
}

extension FileHandle {
    /// Up to `count` bytes from `offset`, which may be an address above 2^63. Throws `.system`.
    package borrowing func read(at offset: UInt64, count: Int) throws(SymbolError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            // SAFETY: the kernel writes at most count - filled bytes, into the array's own storage.
            let got = buffer.withUnsafeMutableBytes { raw in
                pread(
                    descriptor, raw.baseAddress.map { $0 + filled }, count - filled,
                    off_t(truncatingIfNeeded: offset &+ UInt64(filled)))
            }
            if got == 0 { break }
            if got < 0 {
                guard errno == EINTR else { throw .current("read", path) }
                continue
            }
            filled += got
        }
        buffer.removeLast(count - filled)
        return buffer
    }
}
