// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import SystemPackage

/// The files of /proc about one process. Any of them may be gone at any time: the process has ended then.
public struct ProcessFiles: Hashable, Sendable {
    /// `/proc/PID`.
    public let directory: FilePath

    public init(_ pid: some BinaryInteger) { directory = FilePath("/proc/\(pid)") }

    private init(directory: FilePath) { self.directory = directory }

    /// This process's own.
    public static let own = ProcessFiles(directory: "/proc/self")

    /// `/proc/PID/NAME`.
    public func path(_ name: String) -> FilePath { directory.appending(name) }

    /// Is there such a process, or thread?
    public var exists: Bool { directory.withPlatformString { access($0, F_OK) } == 0 }

    /// The name that the kernel gives it, at most 15 bytes, without the newline that ends the file.
    public var comm: String? { readOneLine(path("comm")) }

    /// The user it runs as (its effective one); nil where it is gone.
    public var owner: UInt32? { status?.words("Uid")?.dropFirst().first.flatMap { UInt32($0) } }

    /// Its arguments, each ended by a NUL; nil where they can't be read.
    public var commandLine: [UInt8]? { readBytes(path("cmdline")) }

    /// Its mappings, as text.
    public var maps: String? { readText(path("maps")) }

    /// Its numbers.
    public var stat: ProcessStat? { readBytes(path("stat")).flatMap { ProcessStat($0) } }

    /// Its numbers by name.
    public var status: ProcessStatus? { readText(path("status")).map { ProcessStatus($0) } }

    /// Where its program is, as the kernel writes it, ` (deleted)` behind the name of one that is gone; nil for a kernel's
    /// thread. Nothing of the file itself is asked.
    public var executable: FilePath? { readLink(path("exe")) }

    /// Does it run a program of 32 bits? By its auxiliary vector, whose words are half as wide then: the upper half of the
    /// first would be a type that there is none of. False where it is gone.
    public var is32Bit: Bool { AuxiliaryVector.isNarrow(readBytes(path("auxv")) ?? []) }

    /// Where it is blocked: `NR ARGUMENTS… SP PC`, or `running`.
    public var systemCall: String? { readText(path("syscall")) }

    /// The auxiliary vector, which the kernel hands to a new program (getauxval(3)): pairs of type and value.
    public var auxiliaryVector: [(type: UInt64, value: UInt64)] {
        AuxiliaryVector.entries(readBytes(path("auxv")) ?? [])
    }

    /// The inode number that tells one of its namespaces from all others; nil where it may not be asked.
    ///
    /// - Parameter kind: `ipc`, `mnt`, `pid`…
    public func namespace(_ kind: String) -> UInt64? { inodeNumber(path("ns/\(kind)")) }
}

/// What a symbolic link says; nil where it can't be read, or is longer than any path of the kernel's.
public func readLink(_ path: FilePath) -> FilePath? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { text in
        guard let start = text.baseAddress else { return nil }
        // SAFETY: the buffer's own bytes, no more of them than it has.
        let length = path.withPlatformString { readlink($0, start, text.count) }
        guard length > 0, length < text.count else { return nil }
        return FilePath(bytes: text.prefix(length).map { UInt8(bitPattern: $0) })
    }
}

private func inodeNumber(_ path: FilePath) -> UInt64? {
    var status = stat()
    return path.withPlatformString { stat($0, &status) } == 0 ? UInt64(status.st_ino) : nil
}
