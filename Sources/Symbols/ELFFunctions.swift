// SPDX-License-Identifier: Apache-2.0
import CSymbols
public import SystemPackage

/// A function found by name: where a uprobe goes.
public struct FunctionLocation: Hashable, Sendable {
    /// As asked for.
    public let name: String
    /// `GLIBC_2.2.5`; nil for a symbol without a version.
    public let version: String?
    /// False for `name@VERSION`, kept for programs linked long ago.
    public let isDefaultVersion: Bool
    /// From the start of the file: what `perf_event_open` and `uprobe_multi` take.
    public let fileOffset: UInt64
    /// As linked.
    public let address: UInt64
    /// Bytes of code; 0 when the symbol doesn't say.
    public let size: UInt64
    /// `STT_GNU_IFUNC`: code here runs once, to choose the real function; a probe belongs on what it returns.
    public let isIndirect: Bool
    /// Every other name of the same address, sorted: probing two of them would count twice.
    public let aliases: [String]
}

extension ELFSymbols {
    /// The places of functions with these names (mangled, where the language mangles) in the file at `path`: its `.dynsym`,
    /// its `.symtab`, and the `.symtab` of its debug file.
    ///
    /// A name may carry a version, as `nm -D` writes it: `malloc@GLIBC_2.2.5` finds that version only, the default or
    /// another; a plain name finds every version. One place a name and address, sorted by name, default versions first. Local
    /// functions of one name may stand at many addresses. What isn't there is left out.
    ///
    /// - Throws: `.system` when the file can't be read, `.malformedELF` when it is no ELF file, `.leftOut` when it costs
    ///   more than `reading` allows.
    public static func functionOffsets(
        named names: Set<String>, path: FilePath, debugFiles: DebugFiles = DebugFiles(),
        reading: FileReading = FileReading()
    ) throws(SymbolError) -> [FunctionLocation] {
        let file = try ELFFile(path: path, reading)
        return try functionOffsets(named: names, file, debugFiles: debugFiles)
    }

    /// The same of an open file.
    ///
    /// - Throws: `.system`, `.malformedELF` or `.leftOut`.
    package static func functionOffsets(
        named names: Set<String>, _ file: borrowing ELFFile, debugFiles: DebugFiles
    ) throws(SymbolError) -> [FunctionLocation] {
        let image = try file.image()
        var search = FunctionSearch(names, image)
        try search.run(file, .dynamic, bias: 0)
        try search.run(file, .full, bias: 0)
        if try !file.hasFunctions(in: .full), let debug = try debugFiles.symbols(of: file, image) {
            let debugImage = try? debug.file.image()
            try search.run(debug.file, .full, bias: bias(from: debugImage, to: image))
        }
        return search.locations()
    }
}

extension ELFFile {
    /// Has the table a function?
    ///
    /// - Throws: `.malformedELF`.
    package borrowing func hasFunctions(in table: SymbolTable) throws(SymbolError) -> Bool {
        guard let symbols = symbols(in: table) else { return false }
        var any = false
        try forEachFunction(in: symbols) { (_) throws(SymbolError) in
            any = true
            return false
        }
        return any
    }
}

/// Collects the functions of wanted names over several symbol tables.
private struct FunctionSearch {
    private struct Key: Hashable {
        let name: String
        let version: String?
        let address: UInt64
    }
    private struct Hit {
        let size: UInt64
        let isIndirect: Bool
        let isDefaultVersion: Bool
    }

    /// A hostile file may call all its symbols `malloc`; the C library has some forty.
    private static let mostHits = 512
    /// Names of other functions at their places.
    private static let mostAliases = 4096
    private static let longestAlias = 1024

    private let image: ELFImage
    /// Keyed by the bytes of the name without a version.
    private var wanted: [[UInt8]: [(name: String, version: String?)]] = [:]
    private var lengths: Set<Int> = []
    private var hits: [Key: Hit] = [:]
    /// The same without versions.
    private var places: Set<Key> = []
    private var aliases: [UInt64: Set<String>] = [:]

    init(_ names: Set<String>, _ image: ELFImage) {
        self.image = image
        for name in names {
            let parts = name.split(separator: "@", omittingEmptySubsequences: true)
            let hasVersion = parts.count == 2 && !name.hasPrefix("@")
            let base = hasVersion ? Array(parts[0].utf8) : Array(name.utf8)
            wanted[base, default: []].append((name, hasVersion ? String(parts[1]) : nil))
            lengths.insert(base.count)
        }
    }

    mutating func run(
        _ file: borrowing ELFFile, _ table: ELFFile.SymbolTable, bias: UInt64
    ) throws(SymbolError) {
        guard let symbols = file.symbols(in: table) else { return }
        let versions = table == .dynamic ? try SymbolVersions(file) : nil
        let names = StringWindows(symbols.strings)
        try file.forEachFunction(in: symbols) { (function) throws(SymbolError) in
            let found = names.withString(at: Int(function.name)) { whole -> ([UInt8], String?)? in
                let (name, version) = whole.splitAtVersion()
                guard lengths.contains(name.count) else { return nil }
                return (Array(name), version.map { String(decoding: $0, as: UTF8.self) })
            }
            guard let (base, written) = found, let requests = wanted[base] else { return true }
            guard hits.count < Self.mostHits else {
                throw .leftOut(path: file.path.description, reason: .tooMany)
            }
            add(function, bias, requests, versions?[function.index], written: written)
            return true
        }
        try addAliases(file, symbols, names, bias)
    }

    /// - Parameter written: .symtab writes versions into names: `name@@VERSION` or `name@VERSION`.
    private mutating func add(
        _ function: RawFunction, _ bias: UInt64, _ requests: [(name: String, version: String?)],
        _ version: SymbolVersions.Version?, written: String?
    ) {
        let address = function.address &+ bias
        let name = version?.name ?? written
        for request in requests where request.version == nil || request.version == name {
            // The same function in .dynsym and .symtab is one; .dynsym, which knows the version, goes first.
            let place = Key(name: request.name, version: nil, address: address)
            if name == nil, places.contains(place) { continue }
            places.insert(place)
            let key = Key(name: request.name, version: name, address: address)
            guard hits[key] == nil else { continue }
            hits[key] = Hit(
                size: function.size, isIndirect: function.isIndirect, isDefaultVersion: !(version?.isHidden ?? false))
        }
    }

    private mutating func addAliases(
        _ file: borrowing ELFFile, _ symbols: ELFFile.Symbols, _ names: StringWindows, _ bias: UInt64
    ) throws(SymbolError) {
        let addresses = Set(hits.keys.lazy.map(\.address))
        guard !addresses.isEmpty else { return }
        var count = 0
        try file.forEachFunction(in: symbols) { (function) throws(SymbolError) in
            let address = function.address &+ bias
            guard addresses.contains(address) else { return true }
            let name = names.withString(at: Int(function.name)) { whole in
                String(decoding: whole.splitAtVersion().0.prefix(Self.longestAlias), as: UTF8.self)
            }
            if !name.isEmpty { aliases[address, default: []].insert(name) }
            count += 1
            return count < Self.mostAliases
        }
    }

    func locations() -> [FunctionLocation] {
        var result: [FunctionLocation] = []
        for (key, hit) in hits {
            guard let fileOffset = image.fileOffset(address: key.address) else { continue }
            let bare = key.name.first == "@" ? key.name : String(key.name.prefix { $0 != "@" })
            result.append(
                FunctionLocation(
                    name: key.name, version: key.version, isDefaultVersion: hit.isDefaultVersion,
                    fileOffset: fileOffset, address: key.address, size: hit.size, isIndirect: hit.isIndirect,
                    aliases: (aliases[key.address] ?? []).filter { $0 != bare }.sorted()))
        }
        return result.sorted {
            ($0.name, $0.isDefaultVersion ? 0 : 1, $0.address, $0.version ?? "")
                < ($1.name, $1.isDefaultVersion ? 0 : 1, $1.address, $1.version ?? "")
        }
    }
}

/// Versions of dynamic symbols: `.gnu.version` gives each a number, `.gnu.version_d` names the numbers.
private struct SymbolVersions {
    struct Version {
        let name: String
        /// `name@VERSION`, not `name@@VERSION`.
        let isHidden: Bool
    }

    private let bytes: FileBytes
    private let numbering: GElf_Shdr
    private let isLittle: Bool
    private var names: [UInt16: String] = [:]

    /// Nil where the file has no versions.
    init?(_ file: borrowing ELFFile) throws(SymbolError) {
        var numbering: ELFFile.Section?
        var definitions: ELFFile.Section?
        file.forEachSection { section in
            if section.header.sh_type == SHT_GNU_versym { numbering = section }
            if section.header.sh_type == SHT_GNU_verdef { definitions = section }
            return true
        }
        guard let numbering, let definitions else { return nil }
        bytes = file.bytes
        self.numbering = numbering.header
        isLittle = file.isLittle
        readNames(file, definitions)
    }

    private mutating func readNames(_ file: borrowing ELFFile, _ section: ELFFile.Section) {
        guard let link = file.section(number: section.header.sh_link), let strings = StringTable(file.bytes, link)
        else { return }
        let size = section.size
        var offset: UInt64 = 0
        // Offsets only grow, so that a chain ends with the section; vd_next is 0 at its end.
        for _ in 0..<4096 where offset < size {
            let place = section.fileOffset &+ offset
            // Elf64_Verdef and Elf32_Verdef are alike: version, flags, index, count, hash, first, next
            guard let index = bytes.number(at: place &+ 4, as: UInt16.self, isLittle: isLittle),
                let first = bytes.number(at: place &+ 12, as: UInt32.self, isLittle: isLittle),
                let next = bytes.number(at: place &+ 16, as: UInt32.self, isLittle: isLittle)
            else { return }
            if offset + UInt64(first) < size,
                let name = bytes.number(at: place &+ UInt64(first), as: UInt32.self, isLittle: isLittle)
            {
                let name = strings.string(at: Int(name))
                if name.utf8.count <= 256 { names[index & 0x7fff] = name }
            }
            guard next > 0 else { return }
            offset += UInt64(next)
        }
    }

    subscript(index: Int) -> Version? {
        guard UInt64(index) < numbering.sh_size / 2,
            let number = bytes.number(
                at: numbering.sh_offset &+ UInt64(index) * 2, as: UInt16.self, isLittle: isLittle),
            // 0 is local, 1 global without a version.
            number & 0x7fff > 1, let name = names[number & 0x7fff]
        else { return nil }
        return Version(name: name, isHidden: number & 0x8000 != 0)
    }
}
