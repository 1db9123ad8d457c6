// SPDX-License-Identifier: Apache-2.0
import CSymbols
import Glibc
internal import SystemPackage

/// File, line and inlined functions of one module, from DWARF through libdw.
///
/// Reads all of the module's debug sections into memory (compressed ones unpacked) and keeps them.
final class DwarfLines: LineSource {
    /// A function at an address; the last one is the function that has the code.
    struct Scope {
        let name: String?
        let source: SourceLocation?
        let isInlined: Bool
    }

    /// Addresses of a unit, or of a function.
    private struct Range {
        let low: UInt64
        let high: UInt64
        let entry: Dwarf_Off
    }

    /// The file that has a module's DWARF.
    struct Origin: ~Copyable {
        let file: ELFFile
        /// Added to an address of the module to get one of the file.
        let bias: UInt64
        /// Nobody but root can have made it.
        let isSystem: Bool

        init(file: consuming ELFFile, bias: UInt64, isSystem: Bool) {
            self.file = file
            (self.bias, self.isSystem) = (bias, isSystem)
        }

        /// The module itself, or its separate debug file.
        ///
        /// - Throws: `.noDWARF` or `.leftOut`.
        init(
            _ module: consuming ELFFile, _ image: ELFImage, debugFiles: DebugFiles
        ) throws(SymbolError) {
            var file = module
            var bias: UInt64 = 0
            if !file.hasDebugInfo {
                guard let found = try debugFiles.separate(of: file, image) else {
                    throw .noDWARF(reason: "\(file.path) has no debug information, nor a separate debug file")
                }
                bias = 0 &- ELFSymbols.bias(from: try? found.file.image(), to: image)
                file = found.take()
            }
            let isSystem = file.owner() == .system
            self.init(file: file, bias: bias, isSystem: isSystem)
        }
    }

    private let file: ELFFile
    private let dwarf: OpaquePointer
    private let units: [Range]
    private let programs: LinePrograms
    /// By unit, once it has been asked for.
    private var functions: [Dwarf_Off: [Range]] = [:]
    /// Added to an address of the module to get one of the debug file.
    private let bias: UInt64

    /// - Throws: `.noDWARF`, `.malformedELF` or `.leftOut`.
    init(_ origin: consuming Origin) throws(SymbolError) {
        let (bias, isSystem) = (origin.bias, origin.isSystem)
        let file = origin.take()
        guard let size = Int(exactly: file.debugSize), file.share.take(size) else {
            throw .leftOut(path: file.path.description, reason: .memory)
        }
        // libdw opens what that names, even a device
        guard isSystem || file.section(named: ".gnu_debugaltlink") == nil else {
            throw .noDWARF(reason: "\(file.path): its debug information goes on in another file")
        }
        guard let dwarf = dwarf_begin_elf(try file.libelf(), DWARF_C_READ, nil) else {
            throw .noDWARF(reason: "\(file.path): \(Self.lastReason())")
        }
        do throws(SymbolError) {
            units = try Self.units(dwarf, file, isSystem: isSystem)
        } catch {
            dwarf_end(dwarf)
            throw error
        }
        self.dwarf = dwarf
        self.bias = bias
        programs = LinePrograms(file)
        self.file = file
    }

    deinit { dwarf_end(dwarf) }

    private static func lastReason() -> String {
        dwarf_errmsg(-1).map { String(cString: $0) } ?? "unknown"
    }

    /// Which unit has which addresses. Asked of each unit, for clang and swiftc write no `.debug_aranges`.
    private static func units(
        _ dwarf: OpaquePointer, _ file: borrowing ELFFile, isSystem: Bool
    ) throws(SymbolError) -> [Range] {
        var result: [Range] = []
        var offset: Dwarf_Off = 0
        var next: Dwarf_Off = 0
        var headerSize = 0
        while dwarf_nextcu(dwarf, offset, &next, &headerSize, nil, nil, nil) == 0, next > offset {
            var unit = Dwarf_Die()
            guard !file.share.reading.isSpent else { throw .leftOut(path: file.path.description, reason: .time) }
            if dwarf_offdie(dwarf, offset + Dwarf_Off(headerSize), &unit) != nil, isSystem || !isElsewhere(&unit),
                !addRanges(of: &unit, to: &result, file.share)
            {
                throw .leftOut(path: file.path.description, reason: .memory)
            }
            offset = next
        }
        return result.sorted { $0.low < $1.low }
    }

    /// Is a unit's information in a file of its own? libdw opens what is named there, even a device.
    private static func isElsewhere(_ unit: inout Dwarf_Die) -> Bool {
        [DW_AT_dwo_name, DW_AT_GNU_dwo_name].contains { dwarf_hasattr(&unit, UInt32($0)) != 0 }
    }

    /// False where there are more than may be held, or than there is time for.
    private static func addRanges(of die: inout Dwarf_Die, to ranges: inout [Range], _ share: FileShare) -> Bool {
        var (base, low, high): (Dwarf_Addr, Dwarf_Addr, Dwarf_Addr) = (0, 0, 0)
        var cursor = 0
        var step = 0
        while true {
            step += 1
            let following = dwarf_ranges(&die, cursor, &base, &low, &high)
            guard following > 0 else { return true }
            cursor = following
            // Address 0 is what a linker leaves of a function it has dropped.
            guard low < high, low != 0 else { continue }
            guard share.reading.allows(step: step),
                ranges.count % 1024 != 0 || share.take(1024 * MemoryLayout<Range>.stride)
            else { return false }
            ranges.append(Range(low: low, high: high, entry: dwarf_dieoffset(&die)))
        }
    }

    private static func range(holding address: UInt64, in ranges: [Range]) -> Range? {
        var index = ranges.partitionPoint { $0.low > address }
        // Ranges may overlap where a unit or a function lies about itself, or holds another.
        for _ in 0..<8 where index > 0 {
            index -= 1
            if address < ranges[index].high { return ranges[index] }
        }
        return nil
    }

    /// The functions at `address`, as linked, innermost first; empty where DWARF says nothing.
    func scopes(address moduleAddress: UInt64) -> [Scope] {
        (try? file.share.reading.timed(file.identity()) { () throws(SymbolError) in scopes(linked: moduleAddress) })
            ?? []
    }

    private func scopes(linked moduleAddress: UInt64) -> [Scope] {
        let address = moduleAddress &+ bias
        guard let place = Self.range(holding: address, in: units) else { return [] }
        var unit = Dwarf_Die()
        guard dwarf_offdie(dwarf, place.entry, &unit) != nil else { return [] }

        var result: [Scope] = []
        var source = line(&unit, address)
        for var die in functionChain(&unit, address).reversed() {
            let isInlined = dwarf_tag(&die) == DW_TAG_inlined_subroutine
            result.append(Scope(name: functionName(&die), source: source, isInlined: isInlined))
            if isInlined { source = callSite(&die, &unit) }
        }
        if result.isEmpty, let source { result.append(Scope(name: nil, source: source, isInlined: false)) }
        return result
    }

    // dwarf_getscopes isn't used: it misses functions inlined into a function that stands inside a namespace, which are
    // all of Rust's (seen in elfutils 0.188).

    /// The function that has the code at `address`, then what was merged into it there, outermost first.
    private func functionChain(_ unit: inout Dwarf_Die, _ address: UInt64) -> [Dwarf_Die] {
        let offset = dwarf_dieoffset(&unit)
        let known = functions[offset] ?? functions(of: unit)
        functions[offset] = known
        var die = Dwarf_Die()
        guard let function = Self.range(holding: address, in: known), dwarf_offdie(dwarf, function.entry, &die) != nil
        else { return [] }
        var chain = [die]
        for _ in 0..<Self.deepest where !file.share.reading.isSpent {
            guard let inner = child(of: die, holding: address) else { break }
            die = inner
            if dwarf_tag(&die) == DW_TAG_inlined_subroutine { chain.append(die) }
        }
        return chain
    }

    static let deepest = 512
    private static let mostPending = 1 << 16

    private func child(of parent: Dwarf_Die, holding address: UInt64) -> Dwarf_Die? {
        var found: Dwarf_Die?
        Self.forEachChild(of: parent) { die in
            switch dwarf_tag(&die) {
            case Int32(DW_TAG_inlined_subroutine), Int32(DW_TAG_lexical_block), Int32(DW_TAG_try_block),
                Int32(DW_TAG_catch_block):
                guard dwarf_haspc(&die, address) > 0 else { return true }
                found = die
                return false
            default:
                return true
            }
        }
        return found
    }

    /// Every function of a unit that has code, wherever it stands: in namespaces, types and other functions.
    private func functions(of unit: Dwarf_Die) -> [Range] {
        var result: [Range] = []
        var pending = [(die: unit, depth: 0)]
        var step = 0
        while let (parent, depth) = pending.popLast() {
            Self.forEachChild(of: parent) { die in
                step += 1
                guard file.share.reading.allows(step: step), pending.count < Self.mostPending else { return false }
                if dwarf_tag(&die) == DW_TAG_subprogram, !Self.addRanges(of: &die, to: &result, file.share) {
                    return false
                }
                if depth < Self.deepest, dwarf_haschildren(&die) > 0 { pending.append((die, depth + 1)) }
                return true
            }
        }
        return result.sorted { $0.low < $1.low }
    }

    /// Calls `body` for each child until it gives false.
    private static func forEachChild(of parent: Dwarf_Die, _ body: (inout Dwarf_Die) -> Bool) {
        var parent = parent
        var die = Dwarf_Die()
        guard dwarf_child(&parent, &die) == 0 else { return }
        while body(&die) {
            let position = dwarf_dieoffset(&die)
            var next = Dwarf_Die()
            // DW_AT_sibling of a damaged file may point backwards, for ever.
            guard dwarf_siblingof(&die, &next) == 0, dwarf_dieoffset(&next) > position else { return }
            die = next
        }
    }

    private func line(_ unit: inout Dwarf_Die, _ address: UInt64) -> SourceLocation? {
        guard programs.allow(&unit), let line = dwarf_getsrc_die(&unit, address),
            let name = dwarf_linesrc(line, nil, nil)
        else { return nil }
        var (number, column): (Int32, Int32) = (0, 0)
        dwarf_lineno(line, &number)
        dwarf_linecol(line, &column)
        guard number > 0 else { return nil }
        return SourceLocation(file: String(cString: name), line: Int(number), column: Int(column))
    }

    private func callSite(_ die: inout Dwarf_Die, _ unit: inout Dwarf_Die) -> SourceLocation? {
        var files: OpaquePointer?
        var count = 0
        guard programs.allow(&unit), let index = Self.unsigned(&die, DW_AT_call_file),
            let line = Self.unsigned(&die, DW_AT_call_line), line > 0,
            dwarf_getsrcfiles(&unit, &files, &count) == 0, index < count,
            let name = dwarf_filesrc(files, index, nil, nil)
        else { return nil }
        return SourceLocation(
            file: String(cString: name), line: line, column: Self.unsigned(&die, DW_AT_call_column) ?? 0)
    }

    static func unsigned(_ die: inout Dwarf_Die, _ name: some BinaryInteger) -> Int? {
        var attribute = Dwarf_Attribute()
        var value: Dwarf_Word = 0
        guard dwarf_attr(&die, UInt32(name), &attribute) != nil, dwarf_formudata(&attribute, &value) == 0 else {
            return nil
        }
        return Int(exactly: value)
    }

    /// The linker's name, which carries the types, or else the plain one.
    private func functionName(_ die: inout Dwarf_Die) -> String? {
        for name in [DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name] {
            var attribute = Dwarf_Attribute()
            guard dwarf_attr_integrate(&die, UInt32(name), &attribute) != nil, let text = dwarf_formstring(&attribute)
            else { continue }
            return String(cString: text)
        }
        return nil
    }
}

extension ELFFile {
    fileprivate var hasDebugInfo: Bool {
        section(named: ".debug_info").map { $0.header.sh_type != SHT_NOBITS } ?? (section(named: ".zdebug_info") != nil)
    }

    /// Bytes in the file that are neither loaded nor symbols: debug sections for the most part.
    fileprivate var debugSize: UInt64 {
        var sum: UInt64 = 0
        forEachSection { section in
            if section.header.sh_flags & UInt64(SHF_ALLOC) == 0, section.header.sh_type != SHT_NOBITS {
                // packed or not, it is unpacked as a whole
                let (more, overflow) = sum.addingReportingOverflow(unpackedSize(section))
                sum = overflow ? .max : more
            }
            return true
        }
        return sum
    }
}

extension DebugFiles.Found {
    consuming func take() -> ELFFile { file }
}

extension DwarfLines.Origin {
    consuming func take() -> ELFFile { file }
}
