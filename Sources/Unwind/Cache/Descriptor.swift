// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Owner of a descriptor.
struct Descriptor: ~Copyable {
    let raw: Int32

    init?(_ raw: Int32) {
        guard raw >= 0 else { return nil }
        self.raw = raw
    }

    deinit { close(raw) }

    func status() -> stat? {
        var status = stat()
        return fstat(raw, &status) == 0 ? status : nil
    }

    /// False where the file has less.
    func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int) -> Bool {
        var filled = 0
        while filled < buffer.count {
            // SAFETY: the kernel writes at most count - filled bytes, into the buffer.
            let got = pread(raw, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, off_t(offset + filled))
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { return false }
            filled += got
        }
        return true
    }

    func write(_ buffer: UnsafeRawBufferPointer) -> Bool {
        var written = 0
        while written < buffer.count {
            // SAFETY: the kernel reads at most count - written bytes of the buffer.
            let put = Glibc.write(raw, buffer.baseAddress.map { $0 + written }, buffer.count - written)
            if put < 0, errno == EINTR { continue }
            guard put > 0 else { return false }
            written += put
        }
        return true
    }
}
