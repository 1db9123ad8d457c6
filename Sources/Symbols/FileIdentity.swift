// SPDX-License-Identifier: Apache-2.0
package import Glibc
package import SystemLayer
package import SystemPackage

/// Which file it is, whatever its name, and in which state: another once it was written to.
package struct FileIdentity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64
    package let owner: UInt32
    /// Nobody but its owner may write to it.
    package let isOwnersAlone: Bool
    package let size: Int64
    package let modifiedSeconds: Int64
    package let modifiedNanoseconds: Int64
    /// The time of modification is its owner's to set; this one is the kernel's.
    package let changedSeconds: Int64
    package let changedNanoseconds: Int64

    package init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        owner = status.st_uid
        isOwnersAlone = status.st_mode & 0o022 == 0
        size = Int64(status.st_size)
        modifiedSeconds = Int64(status.st_mtim.tv_sec)
        modifiedNanoseconds = Int64(status.st_mtim.tv_nsec)
        changedSeconds = Int64(status.st_ctim.tv_sec)
        changedNanoseconds = Int64(status.st_ctim.tv_nsec)
    }

    package init(path: FilePath) throws(FileError) {
        self.init(try OpenFile(regular: path).status())
    }
}

/// Where a file comes from: the user who owns it, on one file system.
package struct FileSource: Hashable {
    private let device: UInt64
    private let owner: UInt32
    private let isOwnersAlone: Bool

    init(_ file: FileIdentity) {
        (device, owner, isOwnersAlone) = (file.device, file.owner, file.isOwnersAlone)
    }

    /// Root's, on this machine's own file systems: who could make it hostile needs no hostile file.
    var isSystem: Bool { owner == 0 && isOwnersAlone && Self.systemDevices.contains(device) }

    private static let systemDevices: Set<UInt64> = {
        var devices: Set<UInt64> = []
        // An overlay gives files of each of its layers a device of their own (Documentation/filesystems/overlayfs.rst,
        // "Inode properties"), which no other overlay has: files that every machine has tell it.
        for path in ["/", "/usr", "/usr/lib/os-release", "/bin/sh"] {
            var status = stat()
            if stat(path, &status) == 0 { devices.insert(UInt64(status.st_dev)) }
        }
        return devices
    }()
}

/// Which processes share what was read of a file.
package struct SharedFile: Hashable, Sendable {
    package let identity: FileIdentity
    /// The one process that it is for; nil: for all that map it.
    private let process: Int32?

    /// Who may write to a file decides what its names and rules are. Processes share it where that is root alone, or the
    /// user they all run as.
    package init(_ status: stat, pid: Int32) {
        identity = FileIdentity(status)
        process = identity.isOwnersAlone && (status.st_uid == 0 || status.st_uid == ProcessFiles(pid).owner) ? nil : pid
    }
}
