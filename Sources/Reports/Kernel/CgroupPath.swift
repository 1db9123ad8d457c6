// SPDX-License-Identifier: Apache-2.0

/// A cgroup's path within its hierarchy, `/` for the root, and what manages it.
public struct CgroupPath: Hashable, Sendable {
    public let path: String

    public init(_ path: String) { self.path = path }

    /// From the names on the way to the root, leaf first, each ended by a NUL, as
    /// BPF/lib/cgroup.h collects them.
    public init(leafFirst bytes: [UInt8]) {
        let names = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        path = "/" + names.reversed().joined(separator: "/")
    }

    /// Is it this cgroup or one below it?
    public func isBelow(_ other: CgroupPath) -> Bool {
        other.path == "/" || path == other.path || path.hasPrefix(other.path + "/")
    }

    /// The container or systemd unit that the path names, as far as the usual
    /// runtimes' and systemd's naming tells: `container 0123456789ab`, `unit nginx.service`.
    public var manager: String? {
        let names = path.split(separator: "/").map(String.init)
        for name in names.reversed() {
            if let id = Self.containerID(name) { return "container \(id.prefix(12))" }
        }
        if let unit = names.last(where: { $0.hasSuffix(".service") || $0.hasSuffix(".scope") }) {
            return "unit \(unit)"
        }
        return nil
    }

    /// docker, containerd, cri-o and podman end a container's cgroup with 64
    /// hexadecimal digits, some with a prefix and `.scope` around them.
    private static func containerID(_ name: String) -> Substring? {
        var name = name[...]
        if name.hasSuffix(".scope") { name = name.dropLast(6) }
        if let dash = name.lastIndex(of: "-") { name = name[name.index(after: dash)...] }
        return name.count == 64 && name.allSatisfy(\.isHexDigit) ? name : nil
    }
}
