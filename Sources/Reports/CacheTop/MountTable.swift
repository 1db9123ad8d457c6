// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer

/// Where file systems are mounted: a path within one becomes a path of this machine.
public struct MountTable: Sendable {
    private struct Mount {
        let root: String
        let point: String
    }
    private var mounts: [String: [Mount]] = [:]

    /// - Parameter mountinfo: /proc/self/mountinfo, as proc(5) has it.
    public init(mountinfo text: String) {
        for mount in MountedFileSystem.parse(mountinfo: text) {
            mounts[mount.device, default: []].append(Mount(root: mount.root, point: mount.path))
        }
    }

    /// The path of this machine for one within a device's file system, the shortest
    /// where it is mounted more than once; nil where it is mounted nowhere to be seen.
    public func path(_ inner: String, on device: String) -> String? {
        var best: String?
        for mount in mounts[device] ?? [] {
            var rest = inner[...]
            if mount.root != "/" {
                guard inner == mount.root || inner.hasPrefix(mount.root + "/") else { continue }
                rest = inner.dropFirst(mount.root.count)
            }
            let path = mount.point == "/" ? String(rest) : mount.point + rest
            if path.utf8.count < best?.utf8.count ?? .max { best = path }
        }
        return best
    }
}
