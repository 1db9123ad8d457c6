// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer
public import SystemPackage

/// One line of /proc/PID/maps (fs/proc/task_mmu.c, `show_map_vma`).
public struct Mapping: Hashable, Sendable {
    /// What backs the memory.
    public enum Kind: Hashable, Sendable {
        case file
        case anonymous
        case heap
        case stack
        case vdso
        /// `[anon:name]`, `[vvar]`, `[uprobes]`, `[vsyscall]` and what may come.
        case special
    }

    /// First address.
    public let start: UInt64
    /// Address after the last.
    public let end: UInt64
    /// Offset into the file, in bytes.
    public let fileOffset: UInt64
    public let isReadable: Bool
    public let isWritable: Bool
    public let isExecutable: Bool
    public let isShared: Bool
    /// The file's device; 0 where there is no file.
    public let deviceMajor: UInt32
    public let deviceMinor: UInt32
    public let inode: UInt64
    /// As the traced process's mount namespace names it, without ` (deleted)`; `[heap]` and the like; empty for anonymous memory.
    public let path: FilePath
    /// The file has no name any more: unlinked, or replaced by an upgrade.
    public let isDeleted: Bool

    public var kind: Kind {
        if path.isEmpty { return .anonymous }
        if inode != 0 || !path.string.utf8.starts(with: "[".utf8) { return .file }
        return switch path.string {
        case "[heap]": .heap
        case "[stack]": .stack
        case "[vdso]": .vdso
        default: .special
        }
    }

    /// The link that opens the very file mapped, deleted or not, whatever the mount namespace (fs/proc/base.c,
    /// `proc_map_files_lookup`; wants CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE to follow).
    public func mapFilesPath(pid: Int32) -> FilePath {
        ProcessFiles(pid).path("map_files/\(String(start, radix: 16))-\(String(end, radix: 16))")
    }

    /// The file mapped, as far as this line tells. Two mappings of one process that agree in it are of one file: a process
    /// may map one 65 000 times, and each look at it costs two system calls.
    package var backing: MappedFile {
        MappedFile(deviceMajor: deviceMajor, deviceMinor: deviceMinor, inode: inode, path: path)
    }

    /// The path as seen from here, through the process's root directory.
    public func rootPath(pid: Int32) -> FilePath {
        path.below(ProcessFiles(pid).path("root"))
    }
}

/// What /proc/PID/maps says of a mapping's file.
package struct MappedFile: Hashable, Sendable {
    let deviceMajor: UInt32
    let deviceMinor: UInt32
    let inode: UInt64
    let path: FilePath
}

/// The address space of a process at one moment.
public struct ProcessMaps: Sendable {
    /// Larger lists are refused; a million mappings take some 100 MB of text.
    package static let longestText = 1 << 28

    /// Sorted by address.
    public let mappings: [Mapping]

    /// Reads /proc/PID/maps.
    ///
    /// - Throws: `.system`: ENOENT or ESRCH once the process is gone, EACCES without CAP_SYS_PTRACE. `.tooLarge` beyond
    ///   256 MB.
    public init(pid: Int32) throws(SymbolError) {
        let text: [UInt8]
        do throws(FileError) {
            text = try OpenFile(reading: ProcessFiles(pid).path("maps")).readAll(limit: Self.longestText)
        } catch {
            throw error.code == .fileTooLarge
                ? .tooLarge(path: error.path.string, limitBytes: Self.longestText) : SymbolError(error)
        }
        self.init(maps: text)
    }

    /// From a text as /proc/PID/maps has it. Lines that don't parse are left out.
    public init(maps text: [UInt8]) {
        var mappings: [Mapping] = []
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if let mapping = Mapping(line: line) { mappings.append(mapping) }
        }
        self.init(mappings)
    }

    package init(_ mappings: [Mapping]) {
        self.mappings = mappings.sorted { $0.start < $1.start }
    }

    /// The mapping that holds `address`.
    public func mapping(containing address: UInt64) -> Mapping? {
        let after = mappings.partitionPoint { $0.start > address }
        guard after > 0, address < mappings[after - 1].end else { return nil }
        return mappings[after - 1]
    }
}

extension Mapping {
    /// Parses `7f0c7000-7f0c9000 r-xp 00001000 fd:01 1234   /path`.
    package init?(line: ArraySlice<UInt8>) {
        var scanner = ByteScanner(line)
        guard let start = scanner.hex(), scanner.skip("-"), let end = scanner.hex(), start < end, scanner.skip(" "),
            let permissions = scanner.take(4), scanner.skip(" "),
            let fileOffset = scanner.hex(), scanner.skip(" "),
            let major = scanner.hex(), scanner.skip(":"), let minor = scanner.hex(), scanner.skip(" "),
            let inode = scanner.decimal()
        else { return nil }
        scanner.skipSpaces()

        self.start = start
        self.end = end
        self.fileOffset = fileOffset
        self.inode = inode
        deviceMajor = UInt32(truncatingIfNeeded: major)
        deviceMinor = UInt32(truncatingIfNeeded: minor)
        let flags = Array(permissions)
        isReadable = flags[0] == UInt8(ascii: "r")
        isWritable = flags[1] == UInt8(ascii: "w")
        isExecutable = flags[2] == UInt8(ascii: "x")
        isShared = flags[3] == UInt8(ascii: "s")

        var path = scanner.rest
        let mark = " (deleted)".utf8
        isDeleted = path.suffix(mark.count).elementsEqual(mark)
        if isDeleted { path = path.dropLast(mark.count) }
        self.path = FilePath(bytes: Self.unescaped(path))
    }

    /// seq_path writes a newline as `\012`, and nothing else specially.
    private static func unescaped(_ path: ArraySlice<UInt8>) -> [UInt8] {
        guard path.contains(UInt8(ascii: "\\")) else { return Array(path) }
        let newline = Array(#"\012"#.utf8)
        var result: [UInt8] = []
        var rest = path
        while let byte = rest.first {
            if rest.starts(with: newline) {
                result.append(UInt8(ascii: "\n"))
                rest = rest.dropFirst(newline.count)
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return result
    }
}
