// SPDX-License-Identifier: Apache-2.0

/// A file as the kernel tells it from others: an inode of a device.
public struct FileIdentity: Hashable, Sendable {
    public let major: UInt32
    public let minor: UInt32
    public let inode: UInt64

    public init(major: UInt32, minor: UInt32, inode: UInt64) {
        self.major = major
        self.minor = minor
        self.inode = inode
    }

    /// - Parameter device: a kernel's dev_t, 12 bits major and 20 bits minor.
    public init(device: UInt32, inode: UInt64) {
        self.init(major: device >> 20, minor: device & 0xfffff, inode: inode)
    }

    /// `8:1`.
    public var device: String { "\(major):\(minor)" }
}

/// What else is known of a file (enum cachetop_flag).
public struct FileState: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// No directory has it any more.
    public static let deleted = FileState(rawValue: 1)
    /// It is a disk's own pages: metadata, or what reads the device.
    public static let blockDevice = FileState(rawValue: 2)
}

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

    /// Spaces and the like are written as `\040`.
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

/// A shell's pattern: `*` any text, `?` one character, `[a-z]` and `[!a-z]` one of a
/// set; `*` goes over slashes, as in `find -path`.
public struct Glob: Hashable, Sendable {
    private let pattern: [Character]

    public init(_ pattern: String) { self.pattern = Array(pattern) }

    public func matches(_ text: String) -> Bool {
        let text = Array(text)
        var at = 0, in_ = 0
        // where to go on after the last star: linear in both
        var star: (pattern: Int, text: Int)?
        while in_ < text.count {
            if at < pattern.count, pattern[at] == "*" {
                star = (at + 1, in_)
                at += 1
            } else if let next = step(at, text[in_]) {
                at = next
                in_ += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                at = last.pattern
                in_ = last.text + 1
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == "*" }
    }

    /// Matches one character; where the pattern goes on, nil where it does not match.
    private func step(_ at: Int, _ character: Character) -> Int? {
        guard at < pattern.count else { return nil }
        switch pattern[at] {
        case "?": return at + 1
        case "\\" where at + 1 < pattern.count:
            return pattern[at + 1] == character ? at + 2 : nil
        case "[":
            guard let end = pattern[(at + 1)...].dropFirst().firstIndex(of: "]") else {
                return character == "[" ? at + 1 : nil
            }
            var set = pattern[(at + 1)..<end]
            let negated = set.first == "!" || set.first == "^"
            if negated { set = set.dropFirst() }
            return contains(Array(set), character) != negated ? end + 1 : nil
        default: return pattern[at] == character ? at + 1 : nil
        }
    }

    private func contains(_ set: [Character], _ character: Character) -> Bool {
        var index = 0
        while index < set.count {
            if index + 2 < set.count, set[index + 1] == "-" {
                if set[index] <= character && character <= set[index + 2] { return true }
                index += 3
            } else {
                if set[index] == character { return true }
                index += 1
            }
        }
        return false
    }
}
