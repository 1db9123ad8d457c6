// SPDX-License-Identifier: Apache-2.0
import Glibc
package import SystemLayer
internal import SystemPackage

/// The tables of all files in use, each read once.
package final class ModuleCache {
    /// Headers and size count too, lest a file with a borrowed build-id lends its names to another's processes.
    private struct Content: Hashable {
        let image: ELFImage
        let size: Int64
    }

    private var byIdentity: [FileIdentity: ModuleTable] = [:]
    private var byContent: [Content: ModuleTable] = [:]
    private var vdso: [[UInt8]: ModuleTable] = [:]
    private let wantsLines: Bool
    private let debugDirectory: FilePath

    init(wantsLines: Bool, debugDirectory: FilePath) {
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
        if file == nil { file = Self.open(mapping, pid: pid) }
        guard let file = consume file, let status = try? file.status() else { return nil }
        let identity = FileIdentity(status)
        if let known = byIdentity[identity] { return known }

        let path = mapping.rootPath(pid: pid)
        guard let elf = try? ELFFile(file, path: path), let image = try? elf.image() else { return nil }
        let content = image.buildID.map { _ in Content(image: image, size: identity.size) }
        if let content, let known = byContent[content] {
            byIdentity[identity] = known
            return known
        }
        let debugFiles = DebugFiles(directory: debugDirectory, roots: [ProcessFiles(pid).path("root"), ""])
        guard let table = try? ModuleTable(elf, image: image, debugFiles: debugFiles, wantsLines: wantsLines) else {
            return nil
        }
        byIdentity[identity] = table
        if let content { byContent[content] = table }
        return table
    }

    /// The very file mapped: by map_files, which is exact; else by its name, when that still leads to the same inode.
    package static func open(_ mapping: Mapping, pid: Int32) -> OpenFile? {
        if let exact = try? OpenFile(reading: mapping.mapFilesPath(pid: pid)) { return exact }
        guard !mapping.isDeleted else { return nil }
        for path in [mapping.rootPath(pid: pid), mapping.path] {
            // Inode numbers only: overlayfs and btrfs show one device in maps and another to stat.
            if let file = try? OpenFile(reading: path), let status = try? file.status(),
                status.st_ino == mapping.inode
            {
                return file
            }
        }
        return nil
    }

    /// The table of the kernel's library in a process, read from its memory.
    func vdsoTable(_ mapping: Mapping, pid: Int32) -> ModuleTable? {
        // It has two pages; a process may well map something else under that name.
        guard mapping.end - mapping.start <= 1 << 16, let bytes = Self.memory(mapping, pid: pid) else { return nil }
        if let known = vdso[bytes] { return known }
        let nowhere = DebugFiles(directory: debugDirectory, roots: [])
        guard vdso.count < 16, let elf = try? ELFFile(bytes: bytes, name: "[vdso]"), let image = try? elf.image(),
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
        byContent = byContent.filter { used.contains(ObjectIdentifier($0.value)) }
        vdso = vdso.filter { used.contains(ObjectIdentifier($0.value)) }
    }
}
