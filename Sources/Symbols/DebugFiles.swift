// SPDX-License-Identifier: Apache-2.0
import CSymbols
import Glibc
internal import SystemLayer
public import SystemPackage

/// Finds the separate debug file of a stripped one, where gdb looks too: by build-id, then by `.gnu_debuglink`.
///
/// Nothing is ever fetched from a network.
public struct DebugFiles: Hashable, Sendable {
    /// Where debug files of packages live.
    public let directory: FilePath
    /// The root directories to look below: the process's own (`/proc/PID/root`), then this one's (empty).
    public let roots: [FilePath]

    public init(directory: FilePath = "/usr/lib/debug", roots: [FilePath] = [""]) {
        self.directory = directory
        self.roots = roots
    }

    /// A debug file: `file` has a `.symtab`, or `.debug_info`, or both.
    struct Found: ~Copyable {
        let file: ELFFile
        let source: ELFSymbols.Source
    }

    /// The separate file with `.symtab`, or the compressed one inside `file`.
    func symbols(of file: borrowing ELFFile, _ image: ELFImage) -> Found? {
        if let separate = separate(of: file, image) { return separate }
        guard let section = file.section(named: ".gnu_debugdata"), let packed = file.contents(section),
            let bytes = Self.unxz(packed), let inner = try? ELFFile(bytes: bytes, name: file.path)
        else { return nil }
        return Found(file: inner, source: .miniDebugInfo)
    }

    /// The separate debug file, verified by its build-id or its CRC.
    func separate(of file: borrowing ELFFile, _ image: ELFImage) -> Found? {
        for path in buildIDPaths(image.buildID) {
            if let debug = try? ELFFile(path: path), (try? debug.image())?.buildID == image.buildID {
                return Found(file: debug, source: .debugFile(path))
            }
        }
        guard let link = image.debugLink else { return nil }
        let own = file.identity()
        for path in debugLinkPaths(link, of: file.path) {
            // A link may name the file itself, when debug information was added to it.
            guard let identity = try? FileIdentity(path: path), identity != own, (try? Self.crc32(path)) == link.crc32,
                let debug = try? ELFFile(path: path)
            else { continue }
            return Found(file: debug, source: .debugFile(path))
        }
        return nil
    }

    func buildIDPaths(_ buildID: BuildID?) -> [FilePath] {
        guard let buildID, buildID.bytes.count > 1 else { return [] }
        let text = buildID.description
        let place = directory.appending(".build-id/\(text.prefix(2))/\(text.dropFirst(2)).debug")
        return roots.map { place.below($0) }
    }

    func debugLinkPaths(_ link: DebugLink, of path: FilePath) -> [FilePath] {
        // The name comes from a file that may be hostile: it must stay in the directories meant.
        let name = link.name
        guard name.isRelative, name.components.map(\.kind) == [.regular] else { return [] }
        let home = path.removingLastComponent()
        // The file may have been opened through /proc/PID/root; below the debug directory, its own path counts.
        var inside = home
        if let root = roots.first(where: { !$0.isEmpty && home.starts(with: $0) }) { _ = inside.removePrefix(root) }
        return [home.pushing(name), home.appending(".debug").pushing(name)]
            + roots.map { directory.pushing(inside.removingRoot()).pushing(name).below($0) }
    }

    /// zlib's CRC-32 of a whole file.
    static func crc32(_ path: FilePath) throws(FileError) -> UInt32 {
        let file = try OpenFile(reading: path)
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var sum = CSymbols.crc32(0, nil, 0)
        while true {
            let got = try file.read(into: &buffer, from: 0)
            if got == 0 { return UInt32(truncatingIfNeeded: sum) }
            sum = CSymbols.crc32(sum, buffer, UInt32(got))
        }
    }

    /// Nil when the stream is broken or larger than 256 MiB.
    static func unxz(_ packed: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let start = packed.bindMemory(to: UInt8.self).baseAddress else { return nil }
        var out: UnsafeMutablePointer<UInt8>?
        var size = 0
        guard csymbols_unxz(start, packed.count, 1 << 28, &out, &size) == 0, let out else { return nil }
        defer { free(out) }
        // SAFETY: the shim gave a malloc'd block of `size` bytes.
        return Array(UnsafeBufferPointer(start: out, count: size))
    }
}
