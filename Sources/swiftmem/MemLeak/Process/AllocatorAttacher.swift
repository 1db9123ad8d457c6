// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports
internal import Symbols

/// Finds allocators in the files that processes map, and attaches to each once.
struct AllocatorAttacher: ~Copyable {
    private var probes: AllocatorProbes
    private let search: AllocatorSearch
    private let reading: FileReading
    /// Probes are in every process that maps a file, not in one.
    private let isWide: Bool
    /// Files looked at, by process where probes are of one process only.
    private var inspected: [UInt32: Set<FileNumber>] = [:]
    private(set) var hooked: [AllocatorFile] = []
    /// How many of `hooked` were printed.
    private var printed = 0

    init(_ plan: MemLeakPlan, _ session: borrowing Session) {
        probes = AllocatorProbes(session.probes.resolution[MemLeakProbes.Allocators.self])
        search = plan.search
        reading = plan.reading
        isWide = plan.isWide
    }

    /// Attaches to the allocators of a process that aren't attached to yet.
    ///
    /// - Throws: `BPFError` where the kernel refuses.
    mutating func look(at pid: UInt32, _ session: borrowing Session) throws(BPFError) {
        let place = isWide ? 0 : pid
        var known = inspected[place] ?? []
        let files: [AllocatorFile]
        do throws(Failure) {
            files = try search.files(of: pid, except: &known)
        } catch {
            return  // it has ended
        }
        inspected[place] = known
        try attach(files, pid, session)
    }

    /// Attaches to what was found before the start.
    ///
    /// - Throws: `BPFError` where the kernel refuses.
    mutating func attach(_ found: FoundAllocators, _ session: borrowing Session) throws(BPFError) {
        guard !isWide else { return try look(at: found.pid, session) }
        inspected[found.pid] = found.inspected
        try attach(found.files, found.pid, session)
    }

    private mutating func attach(
        _ files: [AllocatorFile], _ pid: UInt32, _ session: borrowing Session
    ) throws(BPFError) {
        // A file with a heap first: mmap's probes tell a mapping from the heap's own by it.
        for file in files.sorted(by: { $0.hasHeap && !$1.hasHeap }) {
            let attached: AllocatorFile?
            do throws(BPFError) {
                attached = try probes.attach(file, pid: isWide ? nil : pid, session.probes.object, reading)
            } catch {
                // it went meanwhile
                if error.code == ESRCH { continue }
                throw error
            }
            guard let file = attached else { continue }
            if !hooked.contains(where: { $0.number == file.number }) { hooked.append(file.closed) }
        }
    }

    /// Are there files that were hooked and not printed?
    var hasNews: Bool { printed < hooked.count }

    /// They are to be printed now.
    mutating func takeNews() -> [LeakHooked] {
        defer { printed = hooked.count }
        return hooked[printed...].map { file in
            LeakHooked(
                file: file.shownPath, functions: file.sites.map(\.function), missing: file.missing,
                text: file.description)
        }
    }
}
