// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import SystemLayer
internal import SystemPackage

/// Which files a program of another user serves (FUSE). It may never answer, and no signal ends the wait for a request
/// that it has taken (fs/fuse/dev.c, `request_wait_answer`): what it serves is not touched, by open, stat or read.
package final class FileServers {
    /// Mounts of one namespace.
    struct Mounts {
        private let all: [MountedFileSystem]
        let trusted: Set<String>
        let served: Set<String>

        /// - Parameter isOwn: of this process's namespace, where root alone mounts under the user number 0; elsewhere that
        ///   is whoever made the namespace.
        init(_ text: String, isOwn: Bool) {
            all = MountedFileSystem.parse(mountinfo: text)
            served = Set(all.filter { $0.isServedByUser(isOwn: isOwn) }.map(\.device))
            trusted = Set(all.map(\.device)).subtracting(served)
        }

        /// The mount that a path is in, by its name alone: the last of the deepest.
        func mount(of path: FilePath) -> MountedFileSystem? {
            var best: (depth: Int, mount: MountedFileSystem)?
            for mount in all {
                let point = FilePath(mount.path)
                guard path.starts(with: point) else { continue }
                let depth = point.components.count
                if depth >= best?.depth ?? 0 { best = (depth, mount) }
            }
            return best?.mount
        }

        /// Does any part of a path lie in what is served?
        func serves(_ path: FilePath) -> Bool {
            all.contains { served.contains($0.device) && path.starts(with: FilePath($0.path)) }
        }
    }

    private var own: Mounts?
    private var ownTime = ContinuousClock.now

    package init() {}

    private func ownMounts(again: Bool) -> Mounts {
        if let own, !again || ownTime.duration(to: .now) < .seconds(1) { return own }
        let mounts = Mounts(ProcFS.text("self/mountinfo"), isOwn: true)
        (own, ownTime) = (mounts, .now)
        return mounts
    }

    private func mounts(of pid: Int32) -> Mounts {
        Mounts(readText(ProcessFiles(pid).path("mountinfo")) ?? "", isOwn: false)
    }

    /// May whoever serves a mapped file never answer?
    ///
    /// A file system may be mounted in neither namespace: it was unmounted while it was mapped, or lies below an overlay
    /// whose maker hides it. Then fusectl tells whether it is FUSE (Documentation/filesystems/fuse.rst); where that is not
    /// mounted, it may be, but for what an overlay shows.
    package func mayHang(_ mapping: Mapping, pid: Int32) -> Bool {
        // a disk's; memfd, System V and deleted /dev/zero are the kernel's own shared memory
        guard mapping.deviceMajor == 0, mapping.inode != 0 else { return false }
        let device = "0:\(mapping.deviceMinor)"
        if device == Self.sharedMemory { return false }
        if ownMounts(again: false).trusted.contains(device) { return false }
        let own = ownMounts(again: true)
        if own.trusted.contains(device) { return false }
        if own.served.contains(device) { return true }
        let mounts = mounts(of: pid)
        if mounts.trusted.contains(device) { return false }
        if mounts.served.contains(device) { return true }
        // before Linux 6.6 maps has the device of an overlay's layer
        let isOverlaid = mounts.mount(of: mapping.path)?.type == "overlay"
        return Self.mayBeFUSE(minor: mapping.deviceMinor, unlessKnown: !isOverlaid)
    }

    /// - Parameters:
    ///   - unlessKnown: what is said where fusectl is not mounted.
    ///   - connections: its mount point.
    static func mayBeFUSE(
        minor: UInt32, unlessKnown: Bool = true, connections: String = "/sys/fs/fuse/connections"
    ) -> Bool {
        var point = stat(), above = stat(), entry = stat()
        // a kernel without FUSE, or where nobody has used it
        guard stat(connections, &point) == 0, stat(connections + "/..", &above) == 0 else { return false }
        guard point.st_dev != above.st_dev else { return unlessKnown }
        return stat("\(connections)/\(minor)", &entry) == 0
    }

    /// Opens a regular file below a process's root, where names and links are that process's.
    ///
    /// Where something is served there, the walk begins at the mount that the path is in by its name, and does not leave
    /// it: a link could lead to what is served.
    ///
    /// - Parameter path: relative to the root.
    /// - Throws: `FileError`, as `OpenFile` has it; `notSupported` where the path itself is in what is served.
    func open(
        _ path: FilePath, below root: FilePath, pid: Int32, followsLinks: Bool, atMost: Int64
    ) throws(FileError) -> OpenFile {
        let mounts = mounts(of: pid)
        guard !mounts.served.isEmpty else {
            return try OpenFile(regular: path, below: root, followsLinks: followsLinks, atMost: atMost)
        }
        let absolute = FilePath("/").pushing(path)
        guard !mounts.serves(absolute), let mount = mounts.mount(of: absolute) else {
            throw FileError(operation: "open", path: absolute, code: .notSupported)
        }
        return try OpenFile(
            regular: path, below: root, within: FilePath(mount.path), followsLinks: followsLinks, atMost: atMost)
    }

    private static let sharedMemory: String? = {
        let device = clinux_shared_memory_device()
        return device < 0 ? nil : "\(device >> 32):\(device & 0xffff_ffff)"
    }()
}

extension MountedFileSystem {
    /// Does a program of a user's serve it?
    ///
    /// - Parameter isOwn: it is mounted in this process's namespace, where `user_id=0` is root. In another, that is the
    ///   root of a user namespace, which anybody may make (fs/fuse/inode.c, `fuse_show_options`).
    func isServedByUser(isOwn: Bool) -> Bool {
        guard type == "fuse" || type.hasPrefix("fuse.") || type == "fuseblk" else { return false }
        return !(isOwn && options.split(separator: ",").contains("user_id=0"))
    }
}
