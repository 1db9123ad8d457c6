// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer
public import SystemPackage

/// A place in kernel code.
public struct KernelSymbol: Hashable, Sendable {
    /// The function, as /proc/kallsyms spells it.
    public let name: String
    /// Bytes from the function's start.
    public let offset: UInt64
    /// The module; `bpf` and `__builtin__…` for generated code; nil for the kernel image.
    public let module: String?
}

/// The kernel's code symbols, read once from /proc/kallsyms.
///
/// A snapshot: modules and BPF programs loaded later have no name in it; make a new one then. Names stay in one block of
/// bytes, and an entry costs 16 bytes, so that 200 000 symbols take some 10 MB.
///
/// Where several names share an address, the first listed wins: scripts/kallsyms.c sorts weak and underscored names last,
/// and the kernel's own look-up (`%pS`) takes the first too.
public struct KernelSymbols: Sendable {
    struct Entry {
        var address: UInt64
        var nameOffset: UInt32
        var nameLength: UInt16
        /// 0 for the kernel image, else 1 + index into `modules`.
        var module: UInt16
    }

    /// No function of a kernel is longer; farther than this from any symbol, an address isn't code.
    static let longestFunction: UInt64 = 1 << 20

    let entries: [Entry]
    let names: [UInt8]
    let modules: [String]

    /// Reads `path`, /proc/kallsyms unless a test says otherwise.
    ///
    /// - Throws: `.system` when it can't be read, `.kernelAddressesHidden` when `kernel.kptr_restrict` zeroes the addresses
    ///   (Documentation/admin-guide/sysctl/kernel.rst), `.noKernelSymbols` when it lists no code.
    public init(path: FilePath = "/proc/kallsyms") throws(SymbolError) {
        var parser = KallsymsParser()
        do throws(FileError) {
            try Self.parse(OpenFile(reading: path), &parser)
        } catch {
            throw SymbolError(error)
        }
        try self.init(parser)
    }

    private static func parse(_ file: consuming OpenFile, _ parser: inout KallsymsParser) throws(FileError) {
        // Lines are parsed as they come: the text, 10 MB on a distribution kernel, is never held whole.
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var filled = 0
        while true {
            let got = try file.read(into: &buffer, from: filled)
            if got == 0 { break }
            filled += got
            let used = parser.parseLines(of: buffer.span.extracting(0..<filled))
            if used > 0 {
                buffer.replaceSubrange(0..<(filled - used), with: Array(buffer[used..<filled]))
                filled -= used
            } else if filled == buffer.count {
                filled = 0  // a line longer than the buffer is no symbol
            }
        }
        parser.parse(line: buffer.span.extracting(0..<filled))
    }

    /// From a text as /proc/kallsyms has it. Lines that don't parse are left out.
    ///
    /// - Throws: `.kernelAddressesHidden` when all addresses are zero, `.noKernelSymbols` when it lists no code.
    public init(kallsyms text: [UInt8]) throws(SymbolError) {
        var parser = KallsymsParser()
        let used = parser.parseLines(of: text.span)
        parser.parse(line: text.span.extracting(used..<text.count))
        try self.init(parser)
    }

    private init(_ parser: consuming KallsymsParser) throws(SymbolError) {
        guard !parser.entries.isEmpty else {
            throw parser.sawHidden ? .kernelAddressesHidden : .noKernelSymbols
        }
        if !parser.isSorted {
            // nameOffset grows with the line number, so that it keeps the order of aliases.
            parser.entries.sort { ($0.address, $0.nameOffset) < ($1.address, $1.nameOffset) }
        }
        entries = parser.entries
        names = parser.names
        modules = parser.modules
    }

    /// Number of code symbols, aliases included.
    public var count: Int { entries.count }

    /// The function that holds `address`, or nil when none does.
    public func name(for address: UInt64) -> KernelSymbol? {
        let after = entries.partitionPoint { $0.address > address }
        guard after > 0 else { return nil }
        let start = entries[after - 1].address
        guard address - start < Self.longestFunction else { return nil }
        let entry = entries[entries.partitionPoint { $0.address >= start }]
        let from = Int(entry.nameOffset)
        return KernelSymbol(
            name: String(decoding: names[from..<(from + Int(entry.nameLength))], as: UTF8.self),
            offset: address - start,
            module: entry.module == 0 ? nil : modules[Int(entry.module) - 1])
    }
}
