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
    /// A name may carry a version, as `nm -D` writes it: `malloc@GLIBC_2.2.5` finds that version only, be it the default or
    /// not; a plain name finds every version. One place a name and address, sorted by name, default versions first. Local
    /// functions of one name may stand at many addresses. What isn't there is left out.
    ///
    /// Throws `.system` or `.malformedELF`.
    public static func functionOffsets(
        named names: Set<String>, path: FilePath, debugFiles: DebugFiles = DebugFiles()
    ) throws(SymbolError) -> [FunctionLocation] {
        let file = try ELFFile(path: path)
        let image = try file.image()
        var search = FunctionSearch(names, image)
        search.run(file, .dynamic, bias: 0)
        search.run(file, .full, bias: 0)
        if !file.hasFunctions(in: .full), let debug = debugFiles.symbols(of: file, image) {
            let debugImage = try? debug.file.image()
            search.run(debug.file, .full, bias: bias(from: debugImage, to: image))
        }
        return search.locations()
    }
}

extension ELFFile {
    package borrowing func hasFunctions(in table: SymbolTable) -> Bool {
        var any = false
        forEachFunction(in: table) { _ in
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

    /// A hostile file may call all its symbols `malloc`.
    private static let mostHits = 4096

    private let image: ELFImage
    /// Keyed by the bytes of the name without a version.
    private var wanted: [[UInt8]: [(name: String, version: String?)]] = [:]
    private var lengths: Set<Int> = []
    private var hits: [Key: Hit] = [:]
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

    mutating func run(_ file: borrowing ELFFile, _ table: ELFFile.SymbolTable, bias: UInt64) {
        let versions = table == .dynamic ? SymbolVersions(file) : nil
        var addresses: Set<UInt64> = []
        file.forEachFunction(in: table) { function in
            guard lengths.contains(function.name.count), let requests = wanted[Array(function.name)] else {
                return true
            }
            guard hits.count < Self.mostHits else { return false }
            let address = function.address &+ bias
            let version = versions?[function.index]
            // .symtab writes versions into names: `name@@VERSION` or `name@VERSION`.
            let written = function.versionInName.map { String(decoding: $0, as: UTF8.self) }
            let name = version?.name ?? written
            for request in requests where request.version == nil || request.version == name {
                // The same function in .dynsym and .symtab is one; .dynsym, which knows the version, goes first.
                if name == nil, hits.keys.contains(where: { $0.name == request.name && $0.address == address }) {
                    continue
                }
                let key = Key(name: request.name, version: name, address: address)
                if hits[key] == nil {
                    hits[key] = Hit(
                        size: function.size, isIndirect: function.isIndirect,
                        isDefaultVersion: !(version?.isHidden ?? false))
                }
                addresses.insert(address)
            }
            return true
        }
        addresses.formUnion(hits.keys.lazy.map(\.address))
        guard !addresses.isEmpty else { return }
        file.forEachFunction(in: table) { function in
            if addresses.contains(function.address &+ bias) {
                aliases[function.address &+ bias, default: []].insert(String(decoding: function.name, as: UTF8.self))
            }
            return true
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

    private var numbers: [UInt16] = []
    private var names: [UInt16: String] = [:]

    /// Empty where the file has no versions.
    init(_ file: borrowing ELFFile) {
        var numbering: ELFFile.Section?
        var definitions: ELFFile.Section?
        file.forEachSection { section in
            if section.header.sh_type == SHT_GNU_versym { numbering = section }
            if section.header.sh_type == SHT_GNU_verdef { definitions = section }
            return true
        }
        guard let numbering, let definitions, let data = file.data(numbering), let bytes = data.pointee.bytes else {
            return
        }
        for index in 0..<Int32(clamping: bytes.count / 2) {
            var number = GElf_Versym()
            guard gelf_getversym(data, index, &number) != nil else { break }
            numbers.append(number)
        }
        readNames(file, definitions)
    }

    private mutating func readNames(_ file: borrowing ELFFile, _ section: ELFFile.Section) {
        guard let data = file.data(section) else { return }
        var offset: Int32 = 0
        // Offsets only grow, so that a chain ends with the section; vd_next is 0 at its end.
        for _ in 0..<0x8000 {
            var definition = GElf_Verdef()
            var auxiliary = GElf_Verdaux()
            guard gelf_getverdef(data, offset, &definition) != nil,
                let first = Int32(exactly: definition.vd_aux), let next = Int32(exactly: definition.vd_next)
            else { return }
            let (position, overflow) = offset.addingReportingOverflow(first)
            // SAFETY: elf_strptr gives NULL or a string that ends inside its section.
            if !overflow, gelf_getverdaux(data, position, &auxiliary) != nil,
                let name = elf_strptr(file.elf, Int(section.header.sh_link), Int(auxiliary.vda_name))
            {
                names[definition.vd_ndx & 0x7fff] = String(cString: name)
            }
            guard next > 0, case (let following, false) = offset.addingReportingOverflow(next) else { return }
            offset = following
        }
    }

    subscript(index: Int) -> Version? {
        // 0 is local, 1 global without a version.
        guard index < numbers.count, numbers[index] & 0x7fff > 1, let name = names[numbers[index] & 0x7fff] else {
            return nil
        }
        return Version(name: name, isHidden: numbers[index] & 0x8000 != 0)
    }
}
