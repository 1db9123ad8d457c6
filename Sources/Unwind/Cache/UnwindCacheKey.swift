// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Symbols
internal import SystemLayer
internal import SystemPackage

extension UnwindCache {
    /// Which table: of a file with a build-id, as its owner has it.
    ///
    /// The owner, because who can write a file can give it any build-id: what is made of it is for files of that owner only.
    struct Key: Hashable, Sendable {
        let image: ELFImage
        let buildID: BuildID
        let size: Int64
        let modified: UInt64
        let owner: UInt32
        /// The very file, and when it was last written to: its owner can set the time of modification, not this one.
        let device: UInt64
        let inode: UInt64
        let changed: UInt64

        /// nil for a file that isn't kept: without a build-id, writable by more than its owner, or not the one that
        /// its path leads to here (a container's, whose users are others).
        init?(_ image: ELFImage, _ status: stat, path: FilePath) {
            guard let buildID = image.buildID, status.st_mode & 0o022 == 0 else { return nil }
            var here = stat()
            guard path.withPlatformString({ stat($0, &here) }) == 0, here.st_dev == status.st_dev,
                here.st_ino == status.st_ino
            else { return nil }
            self.image = image
            self.buildID = buildID
            size = Int64(status.st_size)
            modified =
                UInt64(bitPattern: Int64(status.st_mtim.tv_sec)) &* 1_000_000_000 &+ UInt64(status.st_mtim.tv_nsec)
            owner = status.st_uid
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            changed =
                UInt64(bitPattern: Int64(status.st_ctim.tv_sec)) &* 1_000_000_000 &+ UInt64(status.st_ctim.tv_nsec)
        }

        var name: FilePath { FilePath("\(buildID)-\(owner)-\(size)") }

        /// All of it, as numbers.
        var words: [UInt64] {
            var words: [UInt64] = [
                UInt64(bitPattern: size), modified, UInt64(owner), UInt64(image.machine), image.isFixed ? 1 : 0,
                device, inode, changed,
            ]
            for segment in image.segments {
                words += [segment.fileOffset, segment.address, segment.fileSize, segment.isExecutable ? 1 : 0]
            }
            return words + buildID.bytes.map { UInt64($0) }
        }
    }
}
