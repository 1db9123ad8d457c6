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

private func inodeNumber(_ path: FilePath) -> UInt64? {
    var status = stat()
    return path.withPlatformString { stat($0, &status) } == 0 ? UInt64(status.st_ino) : nil
}
