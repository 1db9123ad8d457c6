// SPDX-License-Identifier: Apache-2.0

/// A mounted file system, a line of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
public struct MountedFileSystem: Hashable, Sendable {
    public var id: UInt64
    public var parent: UInt64
    /// `major:minor`, decimal.
    public var device: String
    /// Within its file system: `/` where all of it is mounted.
    public var root: String
    public var path: String
    public var type: String
    /// The last field: what the file system itself has to say.
    public var options: String

    /// A line that is none of the kernel's is left out.
    public static func parse(mountinfo text: String) -> [MountedFileSystem] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count > 6, let id = UInt64(words[0]), let parent = UInt64(words[1]),
                let dash = words[6...].firstIndex(of: "-"), words.indices.contains(dash + 1)
            else { return nil }
            return MountedFileSystem(
                id: id, parent: parent, device: String(words[2]), root: Self.unescaped(words[3]),
                path: Self.unescaped(words[4]), type: String(words[dash + 1]),
                options: String(words[dash...].last ?? ""))
        }
    }

    /// Its memory is Shmem's.
    public var isShared: Bool { type == "tmpfs" || type == "devtmpfs" }

    /// Is one on the way to it whose server may not answer? A path through that can take for ever.
    ///
    /// - Parameters:
    ///   - mounts: all of its namespace, by id.
    ///   - rootAnswers: the root's does, for this very program came from there.
    public func isBehindNetwork(_ mounts: [UInt64: MountedFileSystem], rootAnswers: Bool) -> Bool {
        var at = self, steps = 0
        while let next = mounts[at.parent], next.id != at.id, steps < 64 {
            if rootAnswers && next.path == "/" { return false }
            if next.type.hasPrefix("nfs") || next.type.hasPrefix("fuse") || Self.remote.contains(next.type) {
                return true
            }
            (at, steps) = (next, steps + 1)
        }
        return steps == 64
    }

    private static let remote: Set<String> = [
        "9p", "afs", "autofs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "lustre", "ncpfs", "ocfs2", "orangefs",
        "smb3", "smbfs", "virtiofs",
    ]

    /// Blanks, tabs, newlines and backslashes are three octal digits there, `\040` (fs/seq_file.c, `mangle_path`).
    private static func unescaped(_ text: Substring) -> String {
        guard text.contains("\\") else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
