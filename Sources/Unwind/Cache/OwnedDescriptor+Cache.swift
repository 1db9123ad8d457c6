// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import SystemLayer
internal import SystemPackage

extension OwnedDescriptor {
    /// nil where the call that should have opened it gave none.
    init?(opened raw: CInt) {
        guard raw != -1 else { return nil }
        self.init(owning: raw)
    }

    func status() -> stat? {
        var status = stat()
        return fstat(raw, &status) == 0 ? status : nil
    }

    /// False where the file has less, or a single call doesn't read it all: no regular file of a local disk does that.
    func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int) -> Bool {
        (try? descriptor.read(fromAbsoluteOffset: Int64(offset), into: buffer)) == buffer.count
    }

    /// False where not all of it could be written.
    func write(_ buffer: UnsafeRawBufferPointer) -> Bool { (try? descriptor.writeAll(buffer)) == buffer.count }
}
