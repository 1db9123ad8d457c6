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

    /// Those whose entry is all that is seen of them, sessions or not.
    private static func withoutReturns(_ sites: [ProbeSite]) -> [ProbeSite] {
        sites.filter { [MEMLEAK_FREE, MEMLEAK_OUTER].map(\.rawValue).contains($0.op) }
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
            // Where a session watches another process alone, the kernel catches the return here unasked
            // (kernel/trace/bpf_trace.c, uprobe_prog_run()). So what does not need the return has a link without one, and
            // an operator new, whose exception must get out, a session that all processes ask.
            let news = sites.filter { $0.op == MEMLEAK_NEW.rawValue }
            try attach(Self.withoutReturns(sites), .entry, "call_enter_multi", file, pid, object)
            try attach(sites.filter(Self.returns), .session, "call_session", file, pid, object)
            try attach(news, .session, "call_session", file, nil, object)
        case .multi:
            // Returns first: a call must not be in flight without its return being seen.
            try attach(sites.filter(Self.returns), .onReturn, "call_return_multi", file, pid, object)
            try attach(sites, .entry, "call_enter_multi", file, pid, object)
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

    /// One link for all sites; none where there is no site.
    private mutating func attach(
        _ sites: [ProbeSite], _ kind: MultiUprobeOptions.Kind, _ program: String, _ file: AllocatorFile, _ pid: Int32?,
        _ object: borrowing LoadedObject
    ) throws(BPFError) {
        guard !sites.isEmpty else { return }
        let cookies = kind == .onReturn ? nil : sites.map { UInt64($0.op) }
        let options = MultiUprobeOptions(
            kind, path: file.path, offsets: sites.map(\.offset), cookies: cookies, pid: pid)
        links.insert(try object.program(program).attach(multiUprobe: options))
    }
}
