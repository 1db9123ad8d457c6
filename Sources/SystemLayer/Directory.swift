// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import SystemPackage

/// A directory being read, an entry at a time.
public struct Directory: ~Copyable {
    /// One name in it.
    public struct Entry: Hashable, Sendable {
        /// As the file system has it, UTF-8 or not.
        public let name: FilePath.Component
        /// False too where the file system does not tell: those of /proc, cgroups and disks do.
        public let isDirectory: Bool
    }

    private let stream: OpaquePointer

    /// Opens a directory; nil where there is none that may be read.
    public init?(_ path: FilePath) {
        guard let stream = path.withPlatformString(opendir) else { return nil }
        self.stream = stream
    }

    /// Reads an open directory; nil where it is none.
    public init?(_ owned: consuming OwnedDescriptor) {
        let raw = owned.release()
        guard let stream = fdopendir(raw) else {
            close(raw)
            return nil
        }
        self.stream = stream
    }

    deinit { closedir(stream) }

    /// The next entry, never `.` or `..`; nil at the end.
    public mutating func next() -> Entry? {
        while let entry = readdir(stream) {
            // SAFETY: readdir() ends the name with a NUL, within the entry.
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { FilePath.Component(platformString: $0) }
            }
            guard let name, name.kind == .regular else { continue }
            return Entry(name: name, isDirectory: entry.pointee.d_type == UInt8(DT_DIR))
        }
        return nil
    }
}
