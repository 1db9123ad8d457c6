// SPDX-License-Identifier: Apache-2.0
import CSymbols
import Glibc
public import SystemPackage

/// The functions of one ELF file by address, 16 bytes each. Their names stay in the file until they are asked for.
///
/// Where an address has several names, the most public is kept: fewer leading underscores first, then global before weak
/// before local, then the shorter; so `malloc`, not `__libc_malloc`.
public struct ELFSymbols {
    struct Entry {
        var address: UInt64
        var size: UInt32
        var name: NamePlace
    }

    /// Where a name is: in one of two tables of strings.
    struct NamePlace {
        private let raw: UInt32

        init(_ offset: UInt32, isSecond: Bool) { raw = offset & 0x7fff_ffff | (isSecond ? 1 << 31 : 0) }

        var offset: Int { Int(raw & 0x7fff_ffff) }
        var table: Int { Int(raw >> 31) }
    }

    /// Where the names came from.
    public enum Source: Hashable, Sendable {
        /// The file's own `.symtab`.
        case full
        /// A separate debug file, found by build-id or debuglink.
        case debugFile(FilePath)
        /// `.gnu_debugdata`, a compressed `.symtab` (Fedora's "minidebuginfo").
        case miniDebugInfo
        /// Exported functions only: local ones have no name.
        case dynamic
    }

    public let image: ELFImage
    /// The best source that was found.
    public let source: Source
    let entries: [Entry]
    private let strings: [StringTable]
    /// Holds what the entries take of the file's memory.
    private let share: FileShare
    /// Who can have made the names.
    let owner: FileOwner
    /// Why functions of the debug file are missing, where there is one.
    let debugError: SymbolError?

    /// Number of functions, aliases not counted.
    public var count: Int { entries.count }

    /// Reads the table of the file at `path`, and of its debug file when it is stripped.
    ///
    /// A file without any symbol is no error: `count` is 0.
    ///
    /// - Throws: `.system` when the file can't be read, `.malformedELF` when it is no ELF file, `.leftOut` when it costs
    ///   more than `reading` allows.
    public init(
        path: FilePath, debugFiles: DebugFiles = DebugFiles(), reading: FileReading = FileReading()
    ) throws(SymbolError) {
        let file = try ELFFile(path: path, reading)
        try self.init(file, image: file.image(), debugFiles: debugFiles)
    }

    /// The same for an ELF image in memory, such as the vDSO.
    ///
    /// - Throws: `.malformedELF` when it is no ELF file, `.leftOut` when its tables take too much time or memory.
    public init(image bytes: [UInt8], name: FilePath) throws(SymbolError) {
        let file = try ELFFile(bytes: bytes, name: name)
        try self.init(file, image: file.image(), debugFiles: nil)
    }

    init(_ file: borrowing ELFFile, image: ELFImage, debugFiles: DebugFiles?) throws(SymbolError) {
        let share = FileShare(file.share.reading, onDisk: file.onDisk)
        let builder = ELFSymbolsBuilder(share)
        var source = Source.full
        var debugError: SymbolError?
        var owner = file.owner()
        try builder.add(file, .full)
        if builder.isEmpty {
            source = .dynamic
            try builder.add(file, .dynamic)
            do throws(SymbolError) {
                if let debug = try debugFiles?.symbols(of: file, image) {
                    let before = builder.count
                    if debug.source != .miniDebugInfo, debug.file.owner() != .system { owner = debug.file.owner() }
                    let debugImage = try? debug.file.image()
                    try builder.add(debug.file, .full, bias: Self.bias(from: debugImage, to: image))
                    if builder.count > before { source = debug.source }
                }
            } catch {
                debugError = error
            }
        }
        self.image = image
        self.source = source
        self.share = share
        self.debugError = debugError
        self.owner = owner
        entries = try builder.finish()
        strings = builder.strings
    }

    /// prelink moves a library after its debug file was split off.
    static func bias(from debug: ELFImage?, to image: ELFImage) -> UInt64 {
        guard let theirs = debug?.segments.first, let ours = image.segments.first else { return 0 }
        return ours.address &- theirs.address
    }

    /// The function that holds `address`, as linked, and the distance from its start.
    ///
    /// Nil between functions: a hole in a stripped file's table isn't given its neighbour's name.
    public func symbol(address: UInt64) -> (name: String, offset: UInt64)? {
        guard let index = index(address: address) else { return nil }
        return (name(at: index), address - entries[index].address)
    }

    func index(address: UInt64) -> Int? {
        var index = entries.partitionPoint { $0.address > address }
        // Assembly may nest a label with a size inside a function: look at a few more starts before giving up.
        for _ in 0..<8 {
            guard index > 0 else { return nil }
            index -= 1
            if address - entries[index].address < UInt64(entries[index].size) { return index }
        }
        return nil
    }

    func name(at index: Int) -> String {
        let place = entries[index].name
        return strings[place.table].string(at: place.offset)
    }
}
