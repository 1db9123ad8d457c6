// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Reports
internal import SystemLayer

/// Which file it is, whatever it is called and from wherever it is seen; another once it was written to.
struct FileNumber: Hashable {
    let device: UInt64
    let inode: UInt64
    private let size: Int64
    private let changedSeconds: Int
    private let changedNanoseconds: Int

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        changedSeconds = status.st_ctim.tv_sec
        changedNanoseconds = status.st_ctim.tv_nsec
    }
}

/// A place for a probe.
struct ProbeSite: Hashable {
    let function: String
    let op: UInt32
    /// Bytes from the start of the file.
    let offset: UInt64
}

/// A file that is kept open. A process may unmap it at any moment, and map it again elsewhere: no name that leads to it
/// through the process lasts, this one does.
final class HeldFile {
    private let file: OpenFile

    init(_ file: consuming OpenFile) { self.file = file }

    /// Leads to the very file, as long as it is held (fs/proc/fd.c).
    var path: String { "/proc/self/fd/\(file.descriptor)" }
}

/// An executable or library with functions that allocate.
struct AllocatorFile {
    let number: FileNumber
    /// Open until it is attached to.
    var held: HeldFile?
    /// As the process calls it.
    let shownPath: String
    let sites: [ProbeSite]
    /// Looked for, and not there.
    let missing: [String]
    /// Its frees may call other frees, or map memory.
    let marksFrees: Bool
    /// It has malloc and free, not mappings or operator new only.
    let hasHeap: Bool

    /// The same, not held open any more.
    var closed: AllocatorFile {
        var copy = self
        copy.held = nil
        return copy
    }

    /// The same without some of its functions.
    func without(_ functions: Set<String>) -> AllocatorFile {
        AllocatorFile(
            number: number, held: held, shownPath: shownPath, sites: sites.filter { !functions.contains($0.function) },
            missing: missing + functions.sorted(), marksFrees: marksFrees, hasHeap: hasHeap)
    }

    /// The text of a report's head.
    var description: String {
        var names: [String] = []
        for site in sites where !names.contains(site.function) { names.append(site.function) }
        let shown =
            names.filter { !$0.hasPrefix("_Z") }
            + (names.contains { $0.hasPrefix("_Zn") } ? ["operator new"] : [])
            + (names.contains { $0.hasPrefix("_Zd") } ? ["operator delete"] : [])
        return "hooked \(Printable.text(shownPath)): " + shown.joined(separator: " ")
            + (missing.isEmpty ? "" : "; not there: " + missing.joined(separator: " "))
    }
}
