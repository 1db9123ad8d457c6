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

    /// The process whose root the first is; nil: none's.
    private let pid: Int32?

    public init(directory: FilePath = "/usr/lib/debug", roots: [FilePath] = [""]) {
        (self.directory, self.roots, pid) = (directory, roots, nil)
    }

    /// Below a process's root, then below this one's.
    init(directory: FilePath, pid: Int32) {
        (self.directory, roots, self.pid) = (directory, [ProcessFiles(pid).path("root"), ""], pid)
    }

    /// A debug file: `file` has a `.symtab`, or `.debug_info`, or both.
    struct Found: ~Copyable {
        let file: ELFFile
        let source: ELFSymbols.Source
    }

    /// The separate file with `.symtab`, or the compressed one inside `file`.
    ///
    /// - Throws: `.leftOut` where there is one that would take too much.
    func symbols(of file: borrowing ELFFile, _ image: ELFImage) throws(SymbolError) -> Found? {
        if let separate = try separate(of: file, image) { return separate }
        guard let section = file.section(named: ".gnu_debugdata") else { return nil }
        guard let inner = try Self.unpacked(section, of: file) else { return nil }
        return Found(file: inner, source: .miniDebugInfo)
    }

    /// The separate debug file, verified by its build-id or its CRC.
    ///
    /// - Throws: `.leftOut` where there is one that would take too much.
    func separate(of file: borrowing ELFFile, _ image: ELFImage) throws(SymbolError) -> Found? {
        let reading = file.share.reading
        for path in buildIDPaths(image.buildID) {
            guard let found = try open(path, reading), let debug = try Self.elf(found, path, reading),
                (try? debug.image())?.buildID == image.buildID
            else { continue }
            return Found(file: debug, source: .debugFile(path))
        }
        guard let link = image.debugLink else { return nil }
        let own = file.identity()
        for path in debugLinkPaths(link, of: file.path) {
            // A link may name the file itself, when debug information was added to it.
            guard let found = try open(path, reading), let status = try? found.status(), FileIdentity(status) != own,
                try Self.crc32(found, reading) == link.crc32, let debug = try Self.elf(found, path, reading)
            else { continue }
            return Found(file: debug, source: .debugFile(path))
        }
        return nil
    }

    /// Nil where it is no usable ELF file.
    private static func elf(
        _ file: consuming OpenFile, _ path: FilePath, _ reading: FileReading
    ) throws(SymbolError) -> ELFFile? {
        do throws(SymbolError) {
            return try ELFFile(file, path: path, reading)
        } catch {
            if case .leftOut = error { throw error }
            return nil
        }
    }

    /// Larger debug files than this are left alone.
    static let largestFile: Int64 = 1 << 32

    /// Opens what a path leads to as the processes see it whose root it is below; nil where that is no regular file.
    ///
    /// - Throws: `.leftOut` where it is larger than any debug file.
    private func open(_ path: FilePath, _ reading: FileReading) throws(SymbolError) -> OpenFile? {
        var inside = path
        let root = roots.first { !$0.isEmpty && path.starts(with: $0) }
        _ = inside.removePrefix(root ?? "/")
        inside = inside.removingRoot()
        do throws(FileError) {
            if let root, let pid {
                return try reading.servers.open(
                    inside, below: root, pid: pid, followsLinks: true, atMost: Self.largestFile)
            }
            return try OpenFile(regular: inside, below: root ?? "/", followsLinks: true, atMost: Self.largestFile)
        } catch {
            guard error.code == .fileTooLarge else { return nil }
            throw .leftOut(path: path.description, reason: .memory)
        }
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
    ///
    /// - Throws: `.leftOut` where there is no time for all of it.
    static func crc32(_ file: borrowing OpenFile, _ reading: FileReading) throws(SymbolError) -> UInt32 {
        let size = 1 << 17
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        var sum = CSymbols.crc32(0, nil, 0)
        var place: Int64 = 0
        while let got = try? file.read(at: place, into: buffer), got > 0 {
            guard !reading.isSpent else { throw .leftOut(path: file.path.description, reason: .time) }
            sum = CSymbols.crc32(sum, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(got))
            place += Int64(got)
        }
        return UInt32(truncatingIfNeeded: sum)
    }

    /// Bytes that `.gnu_debugdata` may have, unpacked.
    static let largestUnpacked = 24 << 20
    /// Bytes that unpacking takes besides.
    static let unpackingBytes = 12 << 20

    /// The file packed into a section; nil where that is broken.
    private static func unpacked(
        _ section: ELFFile.Section, of file: borrowing ELFFile
    ) throws(SymbolError) -> ELFFile? {
        let place = try file.share.reading.place(of: file.path, file.owner())
        let share = FileShare(file.share.reading, onDisk: file.onDisk)
        guard share.take(largestUnpacked + unpackingBytes) else {
            throw .leftOut(path: file.path.description, reason: .memory)
        }
        let unpacked: FileBytes?
        switch place {
        case .here: unpacked = try unpackedHere(section, of: file)
        case .apart: unpacked = try unpackedApart(section, of: file)
        }
        guard let bytes = unpacked else { return nil }
        share.give(largestUnpacked + unpackingBytes - bytes.inMemory.count)
        do throws(SymbolError) {
            return try ELFFile(taking: bytes, name: file.path, share, madeBy: file.owner())
        } catch {
            if case .leftOut = error { throw error }
            return nil
        }
    }

    private static func unpackedHere(
        _ section: ELFFile.Section, of file: borrowing ELFFile
    ) throws(SymbolError) -> FileBytes? {
        guard let packed = file.contents(section) else { return nil }
        do throws(Unpackable) { return try unxz(packed) } catch {
            throw .leftOut(path: file.path.description, reason: .memory)
        }
    }

    private static func unpackedApart(
        _ section: ELFFile.Section, of file: borrowing ELFFile
    ) throws(SymbolError) -> FileBytes? {
        guard file.bytes.descriptor >= 0 else { return nil }
        var message = MessageWriter()
        message.add(section.fileOffset)
        message.add(section.size)
        let owner = file.owner()
        var answer = try file.share.reading.ask(
            .unpack, message, of: owner, file: file.bytes.descriptor, path: file.path
        ) { $0 <= largestUnpacked + 64 }
        let bytes = answer.rest()
        // SAFETY: FileBytes frees what malloc gave.
        guard !bytes.isEmpty, let start = malloc(bytes.count) else { return nil }
        let memory = UnsafeMutableRawBufferPointer(start: start, count: bytes.count)
        memory.copyBytes(from: bytes)
        return FileBytes(taking: memory)
    }

    /// The other end: a section as it was before it was packed; nothing where it is broken.
    static func answer(_ request: inout ParserRequest) throws(SymbolError) -> MessageWriter {
        var answer = MessageWriter()
        guard let place = request.message.number().flatMap(Int64.init(exactly:)),
            let size = request.message.number().flatMap(Int.init(exactly:)), size <= largestPacked,
            let file = request.file.take()
        else { return answer }
        let packed = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { packed.deallocate() }
        guard (try? file.read(at: place, into: packed)) == size else { return answer }
        do throws(Unpackable) {
            if let bytes = try unxz(UnsafeRawBufferPointer(packed)) {
                answer.append(UnsafeRawBufferPointer(bytes.inMemory))
            }
        } catch {
            throw .leftOut(path: "", reason: .memory)
        }
        return answer
    }

    /// Bytes that it may have, packed: what is packed grows by little at worst.
    private static let largestPacked = largestUnpacked + 1 << 20

    /// It would be larger than `largestUnpacked`.
    enum Unpackable: Error { case tooLarge }

    /// Nil when the stream is broken.
    static func unxz(_ packed: UnsafeRawBufferPointer) throws(Unpackable) -> FileBytes? {
        guard let start = packed.bindMemory(to: UInt8.self).baseAddress else { return nil }
        var out: UnsafeMutablePointer<UInt8>?
        var size = 0
        let code = csymbols_unxz(start, packed.count, largestUnpacked, &out, &size)
        if code == CSYMBOLS_TOO_LARGE { throw .tooLarge }
        guard code == 0, let out else { return nil }
        // SAFETY: the shim gave a malloc'd block of `size` bytes.
        return FileBytes(taking: UnsafeMutableRawBufferPointer(start: out, count: size))
    }
}
