// SPDX-License-Identifier: Apache-2.0
import CSymbols
import Glibc
public import SystemPackage

/// The functions of one ELF file by address: 16 bytes each, and their names in one block.
///
/// Where an address has several names, the most public is kept: fewer leading underscores first, then global before weak
/// before local, then the shorter; so `malloc`, not `__libc_malloc`.
public struct ELFSymbols: Sendable {
    struct Entry {
        var address: UInt64
        var size: UInt32
        var nameOffset: UInt32
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
    /// True when the file has more functions than this module agrees to hold.
    public let isCut: Bool
    let entries: [Entry]
    let names: [UInt8]

    /// Number of functions, aliases not counted.
    public var count: Int { entries.count }

    /// Reads the table of the file at `path`, and of its debug file when it is stripped.
    ///
    /// Throws `.system` or `.malformedELF`. A file without any symbol is no error: `count` is 0.
    public init(path: FilePath, debugFiles: DebugFiles = DebugFiles()) throws(SymbolError) {
        let file = try ELFFile(path: path)
        try self.init(file, image: file.image(), debugFiles: debugFiles)
    }

    /// The same for an ELF image in memory, such as the vDSO.
    public init(image bytes: [UInt8], name: FilePath) throws(SymbolError) {
        let file = try ELFFile(bytes: bytes, name: name)
        try self.init(file, image: file.image(), debugFiles: nil)
    }

    init(_ file: borrowing ELFFile, image: ELFImage, debugFiles: DebugFiles?) throws(SymbolError) {
        var builder = ELFSymbolsBuilder()
        var source = Source.full
        builder.add(file, .full)
        if builder.isEmpty {
            source = .dynamic
            builder.add(file, .dynamic)
            if let debug = debugFiles?.symbols(of: file, image) {
                let before = builder.count
                let debugImage = try? debug.file.image()
                builder.add(debug.file, .full, bias: Self.bias(from: debugImage, to: image))
                if builder.count > before { source = debug.source }
            }
        }
        self.image = image
        self.source = source
        isCut = builder.isCut
        (entries, names) = builder.finish()
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
        let start = Int(entries[index].nameOffset)
        let end = index + 1 < entries.count ? Int(entries[index + 1].nameOffset) : names.count
        return String(decoding: names[start..<end], as: UTF8.self)
    }
}

/// Gathers functions of several tables; `finish` sorts them and drops aliases.
struct ELFSymbolsBuilder {
    static let mostFunctions = 1 << 23
    static let mostNameBytes = 1 << 29

    private struct Candidate {
        var address: UInt64
        var size: UInt32
        /// From the address to the end of its section.
        var room: UInt32
        var nameOffset: UInt32
        var nameLength: UInt16
        var binding: RawFunction.Binding
        var underscores: UInt8
    }

    private var candidates: [Candidate] = []
    private var names: [UInt8] = []
    private(set) var isCut = false

    var isEmpty: Bool { candidates.isEmpty }
    var count: Int { candidates.count }

    mutating func add(_ file: borrowing ELFFile, _ table: ELFFile.SymbolTable, bias: UInt64 = 0) {
        file.forEachFunction(in: table) { function in
            guard candidates.count < Self.mostFunctions, names.count + function.name.count <= Self.mostNameBytes else {
                isCut = true
                return false
            }
            candidates.append(
                Candidate(
                    address: function.address &+ bias, size: UInt32(clamping: function.size),
                    room: UInt32(clamping: function.room), nameOffset: UInt32(names.count),
                    nameLength: UInt16(function.name.count),
                    binding: function.binding,
                    underscores: UInt8(clamping: function.name.prefix { $0 == UInt8(ascii: "_") }.count)))
            names.append(contentsOf: function.name)
            return true
        }
    }

    private func name(_ candidate: Candidate) -> ArraySlice<UInt8> {
        names[Int(candidate.nameOffset)..<(Int(candidate.nameOffset) + Int(candidate.nameLength))]
    }

    private func precedes(_ a: Candidate, _ b: Candidate) -> Bool {
        if a.address != b.address { return a.address < b.address }
        if (a.size == 0) != (b.size == 0) { return b.size == 0 }
        if a.underscores != b.underscores { return a.underscores < b.underscores }
        if a.binding != b.binding { return a.binding < b.binding }
        if a.nameLength != b.nameLength { return a.nameLength < b.nameLength }
        return name(a).lexicographicallyPrecedes(name(b))
    }

    consuming func finish() -> (entries: [ELFSymbols.Entry], names: [UInt8]) {
        let sorted = candidates.sorted(by: precedes)
        var entries: [ELFSymbols.Entry] = []
        var kept: [UInt8] = []
        entries.reserveCapacity(sorted.count)
        kept.reserveCapacity(names.count)
        for (index, candidate) in sorted.enumerated() where entries.last?.address != candidate.address {
            var size = candidate.size
            if size == 0 {
                // From assembly, without a size: it reaches to the next symbol or to the end of its section.
                let next = sorted[index...].first { $0.address != candidate.address }
                size = min(candidate.room, next.map { UInt32(clamping: $0.address - candidate.address) } ?? .max)
            }
            entries.append(.init(address: candidate.address, size: size, nameOffset: UInt32(kept.count)))
            kept.append(contentsOf: name(candidate))
        }
        return (entries, kept)
    }
}
