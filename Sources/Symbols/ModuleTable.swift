// SPDX-License-Identifier: Apache-2.0
internal import SystemPackage

/// One executable or library: its functions, and its source lines once asked for. Shared by all processes that map it.
final class ModuleTable {
    /// Where its debug file is looked for, which has its lines.
    let debugFiles: DebugFiles
    let symbols: ELFSymbols
    /// As a process that maps it names it, below that process's root.
    let path: FilePath
    private let wantsLines: Bool
    private var lines: (any LineSource)?
    private let names: NameDemangler
    private var demangled: [Int: String] = [:]
    private var demangledBytes = 0
    /// Bytes of names that are kept; beyond it they are made anew.
    private static let mostDemangled = 1 << 20
    /// Why `--lines` gives none here.
    private(set) var linesError: SymbolError?

    /// - Throws: `.malformedELF`, `.system` or `.leftOut`.
    init(_ file: consuming ELFFile, image: ELFImage, debugFiles: DebugFiles, wantsLines: Bool) throws(SymbolError) {
        symbols = try ELFSymbols(file, image: image, debugFiles: debugFiles)
        self.debugFiles = debugFiles
        self.wantsLines = wantsLines
        path = file.path
        names = NameDemangler(file.share.reading, path, symbols.owner)
        // Opened now, while the process that maps it is there to open it through.
        guard wantsLines else { return }
        do throws(SymbolError) {
            let reading = file.share.reading
            let origin = try DwarfLines.Origin(file, image, debugFiles: debugFiles)
            switch try reading.place(of: path, origin.file.owner()) {
            case .here: lines = try DwarfLines(origin)
            case .apart: lines = try LinesApart(origin)
            }
        } catch {
            linesError = error
        }
    }

    /// The name of a function, demangled once.
    func name(at index: Int, raw: Bool) -> String {
        if raw { return symbols.name(at: index) }
        if let known = demangled[index] { return known }
        let mangled = symbols.name(at: index)
        guard let name = names.demangle(mangled) else { return mangled }
        if demangledBytes > Self.mostDemangled { (demangled, demangledBytes) = ([:], 0) }
        demangledBytes += name.utf8.count
        demangled[index] = name
        return name
    }

    /// A name of this file's, as people write it.
    func readable(_ name: String) -> String { names.demangle(name) ?? name }

    func scopes(address: UInt64) -> [DwarfLines.Scope] {
        lines?.scopes(address: address) ?? []
    }
}
