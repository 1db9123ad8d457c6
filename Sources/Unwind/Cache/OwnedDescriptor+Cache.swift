// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import SystemLayer
internal import SystemPackage

extension OwnedDescriptor {
    /// nil where the call that should have opened it gave none.
    init?(opened raw: CInt) {
        guard raw >= 0 else { return nil }
        self.init(owning: raw)
    }

    func status() -> stat? {
        var status = stat()
        return fstat(raw, &status) == 0 ? status : nil
    }

    /// False where the file has less.
    func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int) -> Bool {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            guard let got = try? descriptor.read(fromAbsoluteOffset: Int64(offset + filled), into: rest), got > 0
            else { return false }
            filled += got
        }
        return true
    }

    /// False where not all of it could be written.
    func write(_ buffer: UnsafeRawBufferPointer) -> Bool { (try? descriptor.writeAll(buffer)) == buffer.count }
}
