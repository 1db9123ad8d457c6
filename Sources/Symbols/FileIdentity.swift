// SPDX-License-Identifier: Apache-2.0
package import Glibc
package import SystemLayer
package import SystemPackage

/// Which file it is, whatever its name.
package struct FileIdentity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64
    package let size: Int64
    package let modifiedSeconds: Int64
    package let modifiedNanoseconds: Int64

    package init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modifiedSeconds = Int64(status.st_mtim.tv_sec)
        modifiedNanoseconds = Int64(status.st_mtim.tv_nsec)
    }

    package init(path: FilePath) throws(FileError) {
        self.init(try OpenFile(reading: path).status())
    }
}
