// SPDX-License-Identifier: Apache-2.0

/// Where file systems are mounted: a path within one becomes a path of this machine.
public struct MountTable: Sendable {
    private struct Mount {
        let root: String
        let point: String
    }
    private var mounts: [String: [Mount]] = [:]

    /// - Parameter mountinfo: /proc/self/mountinfo, as proc(5) has it.
    public init(mountinfo text: String) {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count >= 5 else { continue }
            mounts[String(fields[2]), default: []].append(
                Mount(root: Self.unescaped(fields[3]), point: Self.unescaped(fields[4])))
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

    /// Blanks, tabs, newlines and backslashes are three octal digits there, `\040` (fs/seq_file.c, `mangle_path`).
    static func unescaped(_ text: Substring) -> String {
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
