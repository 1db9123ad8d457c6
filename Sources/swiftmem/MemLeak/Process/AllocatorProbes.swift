// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Probes

/// The probes in allocators' files. Letting go of it detaches.
struct AllocatorProbes: ~Copyable {
    /// The program of each op, where every function has its own.
    static let perfPrograms: [(op: memleak_op, program: String)] = [
        (MEMLEAK_SIZE, "malloc_uprobe"), (MEMLEAK_OUTER_SIZE, "malloc_uprobe"), (MEMLEAK_CALLOC, "calloc_uprobe"),
        (MEMLEAK_NEW, "new_uprobe"), (MEMLEAK_OUTER, "outer_new_uprobe"),
        (MEMLEAK_REALLOC, "realloc_uprobe"), (MEMLEAK_REALLOCARRAY, "reallocarray_uprobe"),
        (MEMLEAK_ALIGNED, "aligned_alloc_uprobe"), (MEMLEAK_POSIX_MEMALIGN, "posix_memalign_uprobe"),
        (MEMLEAK_FREE, "free_uprobe"), (MEMLEAK_MMAP, "mmap_uprobe"), (MEMLEAK_MUNMAP, "munmap_uprobe"),
        (MEMLEAK_MREMAP, "mremap_uprobe"),
    ]

    private let kind: MemLeakProbes.Allocators
    private var links = LinkSet()

    init(_ kind: MemLeakProbes.Allocators) { self.kind = kind }

    /// Is its return to be seen? Never of an operator new: see BPF/memleak.bpf.c.
    private static func returns(_ site: ProbeSite) -> Bool {
        ![MEMLEAK_FREE, MEMLEAK_NEW, MEMLEAK_OUTER].map(\.rawValue).contains(site.op)
    }

    /// In a busy process allocations go on meanwhile: what frees is seen first, so that
    /// nothing recorded is freed unseen; mmap is seen last, when malloc's own calls of it are
    /// known for such.
    private static func inOrder(_ sites: [ProbeSite]) -> [ProbeSite] {
        func rank(_ site: ProbeSite) -> Int {
            switch site.op {
            case MEMLEAK_FREE.rawValue: 0
            case MEMLEAK_MUNMAP.rawValue: 1
            case MEMLEAK_MREMAP.rawValue, MEMLEAK_MMAP.rawValue: 3
            default: 2
            }
        }
        return sites.enumerated().sorted {
            (rank($0.element), $0.offset) < (rank($1.element), $1.offset)
        }
        .map(\.element)
    }

    /// Attaches to one file, in one process or in all that map it.
    mutating func attach(
        _ file: AllocatorFile, pid: UInt32?, _ object: borrowing LoadedObject
    ) throws(BPFError) {
        let sites = Self.inOrder(file.sites.filter { $0.op != 0 })
        let pid = pid.map { Int32($0) }
        switch kind {
        case .session:
            links.insert(
                try object.program("call_session").attach(
                    multiUprobe: MultiUprobeOptions(
                        .session, path: file.path, offsets: sites.map(\.offset),
                        cookies: sites.map { UInt64($0.op) }, pid: pid)))
        case .multi:
            // Returns first: a call must not be in flight without its return being seen.
            let returning = sites.filter(Self.returns)
            if !returning.isEmpty {
                links.insert(
                    try object.program("call_return_multi").attach(
                        multiUprobe: MultiUprobeOptions(
                            .onReturn, path: file.path, offsets: returning.map(\.offset), pid: pid)))
            }
            links.insert(
                try object.program("call_enter_multi").attach(
                    multiUprobe: MultiUprobeOptions(
                        .entry, path: file.path, offsets: sites.map(\.offset),
                        cookies: sites.map { UInt64($0.op) }, pid: pid)))
        case .perf:
            for site in sites where Self.returns(site) {
                links.insert(
                    try object.program("call_uretprobe").attach(
                        uprobe: UprobeOptions(path: file.path, at: .offset(site.offset), onReturn: true, pid: pid)))
            }
            for site in sites {
                guard let program = Self.perfPrograms.first(where: { $0.op.rawValue == site.op })?.program
                else { continue }
                links.insert(
                    try object.program(program).attach(
                        uprobe: UprobeOptions(path: file.path, at: .offset(site.offset), pid: pid)))
            }
        }
    }
}
