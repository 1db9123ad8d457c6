// SPDX-License-Identifier: Apache-2.0
import Glibc
package import SystemLayer
internal import SystemPackage

/// The tables of all files in use, each read once.
package final class ModuleCache {
    private var byIdentity: [SharedFile: ModuleTable] = [:]
    private var vdso: [[UInt8]: ModuleTable] = [:]
    private let wantsLines: Bool
    private let debugDirectory: FilePath
    private let reading: FileReading

    init(wantsLines: Bool, debugDirectory: FilePath, _ reading: FileReading) {
        self.reading = reading
        self.wantsLines = wantsLines
        self.debugDirectory = debugDirectory
    }

    var tables: [ModuleTable] {
        var seen: Set<ObjectIdentifier> = []
        return byIdentity.values.filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    /// The table of the file that a process has mapped, or nil when it can't be read or isn't ELF.
    ///
    /// - Parameter file: opened before, while the process was there.
    func table(_ mapping: Mapping, pid: Int32, file: consuming OpenFile? = nil) -> ModuleTable? {
        do throws(SymbolError) {
            if file == nil { file = try Self.open(mapping, pid: pid, reading) }
            guard let file = file.take() else { return nil }
            return try table(mapping, pid, file)
        } catch {
            reading.omit(mapping.path, .names, error)
            return nil
        }
    }

    private func table(
        _ mapping: Mapping, _ pid: Int32, _ file: consuming OpenFile
    ) throws(SymbolError) -> ModuleTable? {
        guard let status = try? file.status() else { return nil }
        let identity = SharedFile(status, pid: pid)
        if let known = byIdentity[identity] { return known }
        var held: OpenFile? = consume file
        let table = try reading.timed(identity.identity) { () throws(SymbolError) -> ModuleTable? in
            guard let file = held.take() else { return nil }
            let elf = try ELFFile(file, path: mapping.rootPath(pid: pid), reading)
            let debugFiles = DebugFiles(directory: debugDirectory, pid: pid)
            let image = try elf.image()
            return try ModuleTable(elf, image: image, debugFiles: debugFiles, wantsLines: wantsLines)
        }
        guard let table else { return nil }
        if let error = table.symbols.debugError { reading.omit(mapping.path, .names, error) }
        if let error = table.linesError { reading.omit(mapping.path, .lines, error) }
        byIdentity[identity] = table
        return table
    }

    /// The very file mapped: by map_files, which is exact; else by its name, when that still leads to the same inode.
    ///
    /// - Throws: `.system` where it is there and can't be opened, `.leftOut` where whoever serves it may never answer; nil
    ///   where it is gone, or no regular file.
    package static func open(_ mapping: Mapping, pid: Int32, _ reading: FileReading) throws(SymbolError) -> OpenFile? {
        guard !reading.servers.mayHang(mapping, pid: pid) else {
            throw .leftOut(path: mapping.path.description, reason: .served)
        }
        let exact: FileError
        do throws(FileError) {
            return try OpenFile(regular: mapping.mapFilesPath(pid: pid))
        } catch {
            exact = error
        }
        if !mapping.isDeleted {
            for root in [ProcessFiles(pid).path("root"), "/"] {
                // Inode numbers only: overlayfs and btrfs show one device in maps and another to stat.
                if let file = try? OpenFile(regular: mapping.path.removingRoot(), below: root, followsLinks: true),
                    let status = try? file.status(), status.st_ino == mapping.inode
                {
                    return file
                }
            }
        }
        // who may not follow map_files has to do with names; a file that somebody holds a lease on is there
        guard exact.code == .wouldBlock || exact.code == .tooManyOpenFiles else { return nil }
        throw SymbolError(exact)
    }

    /// The table of the kernel's library in a process, read from its memory.
    func vdsoTable(_ mapping: Mapping, pid: Int32) -> ModuleTable? {
        // It has two pages; a process may well map something else under that name.
        guard mapping.end - mapping.start <= 1 << 16, let bytes = Self.memory(mapping, pid: pid) else { return nil }
        if let known = vdso[bytes] { return known }
        let nowhere = DebugFiles(directory: debugDirectory, roots: [])
        guard vdso.count < 16,
            let elf = try? ELFFile(
                bytes: bytes, name: "[vdso]", reading, madeBy: FileOwner(vdso: bytes, of: pid)),
            let image = try? elf.image(),
            let table = try? ModuleTable(elf, image: image, debugFiles: nowhere, wantsLines: false)
        else { return nil }
        vdso[bytes] = table
        return table
    }

    package static func memory(_ mapping: Mapping, pid: Int32) -> [UInt8]? {
        guard let file = try? OpenFile(reading: ProcessFiles(pid).path("mem")) else { return nil }
        return try? file.read(at: mapping.start, count: Int(mapping.end - mapping.start))
    }

    func keepOnly(usedBy processes: some Sequence<TracedProcess>) {
        let used = Set(processes.lazy.flatMap(\.tables).map { ObjectIdentifier($0) })
        byIdentity = byIdentity.filter { used.contains(ObjectIdentifier($0.value)) }
        vdso = vdso.filter { used.contains(ObjectIdentifier($0.value)) }
    }
}
