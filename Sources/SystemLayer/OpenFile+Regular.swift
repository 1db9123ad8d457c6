// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
public import SystemPackage

/// Files that a traced process names or maps: whoever runs it chose what is there.
extension OpenFile {
    /// Opens a regular file and nothing else: to open a device or a FIFO may already do something.
    ///
    /// The name is looked at first, without opening what it leads to. All its links are followed, those of /proc too:
    /// for paths of this process's own making.
    ///
    /// - Throws: `FileError`, operation `open`; `notSupported` where it is no regular file.
    public init(regular path: FilePath) throws(FileError) {
        try self.init(named: try Self.named(path, path), path: path, atMost: .max)
    }

    /// The same for a path below a root, as processes see it that have this root.
    ///
    /// Links lead nowhere else, and links of /proc nowhere at all.
    ///
    /// - Parameters:
    ///   - root: of this process's making, such as `/proc/PID/root`.
    ///   - mount: a mount point below the root, where the walk begins and which it may not leave; nil: it may.
    ///   - followsLinks: false: no link is followed, in no part of the path.
    ///   - atMost: bytes that the file may have.
    /// - Throws: `FileError`, operation `open`; `notSupported` where it is no regular file, `fileTooLarge` where it is
    ///   larger.
    public init(
        regular path: FilePath, below root: FilePath, within mount: FilePath? = nil, followsLinks: Bool,
        atMost: Int64 = .max
    ) throws(FileError) {
        let shown = path.below(root)
        var place = try Self.named(root, shown)
        var rest = path
        if let mount {
            let point = mount.removingRoot()
            guard point.isEmpty || rest.removePrefix(point) else {
                throw FileError(operation: "open", path: shown, code: .improperLink)
            }
            if !point.isEmpty { place = try Self.below(place, point, followsLinks: false, crosses: true, shown) }
        }
        let found = try Self.below(place, rest, followsLinks: followsLinks, crosses: mount == nil, shown)
        try self.init(named: found, path: shown, atMost: atMost)
    }

    private static func below(
        _ place: borrowing OwnedDescriptor, _ path: FilePath, followsLinks: Bool, crosses: Bool, _ shown: FilePath
    ) throws(FileError) -> OwnedDescriptor {
        let root = place.raw
        let raw = path.withPlatformString { clinux_open_below(root, $0, followsLinks ? 1 : 0, crosses ? 1 : 0) }
        guard raw >= 0 else { throw FileError(operation: "open", path: shown, code: Errno(rawValue: -raw)) }
        return OwnedDescriptor(owning: raw)
    }

    private static func named(_ path: FilePath, _ shown: FilePath) throws(FileError) -> OwnedDescriptor {
        let raw = path.withPlatformString { clinux_open_name($0) }
        guard raw >= 0 else { throw FileError(operation: "open", path: shown, code: Errno(rawValue: -raw)) }
        return OwnedDescriptor(owning: raw)
    }

    private init(named: consuming OwnedDescriptor, path: FilePath, atMost: Int64) throws(FileError) {
        var status = stat()
        guard fstat(named.raw, &status) == 0 else {
            throw FileError(operation: "stat", path: path, code: Errno(rawValue: errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(operation: "open", path: path, code: .notSupported)
        }
        guard status.st_size <= atMost else { throw FileError(operation: "open", path: path, code: .fileTooLarge) }
        // the very file looked at, whatever has become of its name
        try self.init(reading: FilePath("/proc/self/fd/\(named.raw)"), called: path)
    }
}
