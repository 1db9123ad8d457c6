// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Probes
internal import Symbols
internal import SystemPackage

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

    /// The sampler's, on every rung: they fire seldom, and want neither a return nor a cookie.
    static let sampledPrograms: [(op: memleak_op, program: String)] = [
        (MEMLEAK_SAMPLED_FREE, "sampled_free_uprobe"), (MEMLEAK_SAMPLED, "sampled_uprobe"),
    ]

    /// Probes go with the file's content: what is written into the same file later has other places.
    private struct Place: Hashable {
        let device: UInt64
        let inode: UInt64
        let pid: UInt32?
    }

    /// The probes in one file.
    private final class Attached {
        let sites: Set<ProbeSite>
        private var links = LinkSet()

        init(_ sites: [ProbeSite]) { self.sites = Set(sites) }

        func insert(_ link: consuming Link) { links.insert(link) }
    }

    /// nil: of a sampler's calls alone.
    private let kind: MemLeakProbes.Allocators?
    private var attached: [Place: Attached] = [:]

    init(_ kind: MemLeakProbes.Allocators?) { self.kind = kind }

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
            case MEMLEAK_FREE.rawValue, MEMLEAK_SAMPLED_FREE.rawValue: 0
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
    ///
    /// A file that was written to meanwhile is attached to anew, where that has moved its functions.
    ///
    /// - Returns: the file with the functions that are seen; nil: none of it that would make sense by itself.
    /// - Throws: `BPFError` where the kernel refuses, and not for what is in the file.
    mutating func attach(
        _ file: AllocatorFile, pid: UInt32?, _ object: borrowing LoadedObject, _ reading: FileReading
    ) throws(BPFError) -> AllocatorFile? {
        let place = Place(device: file.number.device, inode: file.number.inode, pid: pid)
        if let known = attached[place] {
            if known.sites == Set(file.sites) { return file }
            attached[place] = nil
        }
        guard let path = file.held?.path else { return nil }
        let whole = Attached(file.sites)
        do throws(BPFError) {
            try attach(Self.inOrder(file.sites.filter { $0.op != 0 }), path, pid, object, whole)
            attached[place] = whole
            return file
        } catch {
            guard Self.isOfTheFile(error.code) else { throw error }
        }
        return try attachSingly(file, path, pid, object, reading).map { kept, seen in
            attached[place] = kept
            return seen
        }
    }

    /// Is it refused for the instruction that stands there, or because nothing does?
    private static func isOfTheFile(_ code: Int32) -> Bool {
        // the kernel's ENOTSUPP, which no C library knows
        [EINVAL, ENOEXEC, ENOTSUP, 524, EIO, EFAULT, ERANGE].contains(code)
    }

    /// Attaches to each function by itself. Without one that frees, the rest would tell of leaks that are none.
    private func attachSingly(
        _ file: AllocatorFile, _ path: String, _ pid: UInt32?, _ object: borrowing LoadedObject, _ reading: FileReading
    ) throws(BPFError) -> (Attached, AllocatorFile)? {
        let kept = Attached(file.sites)
        var (refused, code): ([ProbeSite], Int32) = ([], 0)
        for site in Self.inOrder(file.sites.filter { $0.op != 0 }) {
            do throws(BPFError) {
                try attach([site], path, pid, object, kept)
            } catch {
                guard Self.isOfTheFile(error.code) else { throw error }
                refused.append(site)
                code = error.code
            }
        }
        let names = Set(refused.map(\.function))
        let seen = file.without(names)
        let frees = [
            MEMLEAK_FREE, MEMLEAK_SAMPLED_FREE, MEMLEAK_REALLOC, MEMLEAK_REALLOCARRAY, MEMLEAK_MUNMAP, MEMLEAK_MREMAP,
        ].map(
            \.rawValue)
        guard !seen.sites.isEmpty, !refused.contains(where: { frees.contains($0.op) }) else {
            reading.omit(FilePath(file.shownPath), .allocators, .refused(code))
            return nil
        }
        reading.omit(FilePath(file.shownPath), .allocators, .refused(code), functions: names.sorted())
        return (kept, seen)
    }

    private func attach(
        _ sites: [ProbeSite], _ path: String, _ pid: UInt32?, _ object: borrowing LoadedObject, _ to: Attached
    ) throws(BPFError) {
        let pid = pid.map { Int32($0) }
        // Returns first: a call must not be in flight without its return being seen.
        let returning = sites.filter(Self.returns)
        switch kind {
        case nil:
            for entry in Self.sampledPrograms {
                guard let site = sites.first(where: { $0.op == entry.op.rawValue }) else { continue }
                to.insert(
                    try object.program(entry.program).attach(
                        uprobe: UprobeOptions(path: path, at: .offset(site.offset), pid: pid)))
            }
        case .session:
            // Where a session watches another process alone, the kernel catches the return here unasked
            // (kernel/trace/bpf_trace.c, uprobe_prog_run()). So what does not need the return has a link without one, and
            // an operator new, whose exception must get out, a session that all processes ask.
            let news = sites.filter { $0.op == MEMLEAK_NEW.rawValue }
            try attach(Self.withoutReturns(sites), .entry, "call_enter_multi", path, pid, object, to)
            try attach(returning, .session, "call_session", path, pid, object, to)
            try attach(news, .session, "call_session", path, nil, object, to)
        case .multi:
            try attach(returning, .onReturn, "call_return_multi", path, pid, object, to)
            try attach(sites, .entry, "call_enter_multi", path, pid, object, to)
        case .perf:
            for site in returning {
                to.insert(
                    try object.program("call_uretprobe").attach(
                        uprobe: UprobeOptions(path: path, at: .offset(site.offset), onReturn: true, pid: pid)))
            }
            for site in sites {
                guard let program = Self.perfPrograms.first(where: { $0.op.rawValue == site.op })?.program
                else { continue }
                to.insert(
                    try object.program(program).attach(
                        uprobe: UprobeOptions(path: path, at: .offset(site.offset), pid: pid)))
            }
        }
    }

    /// One link for all sites; none where there is no site.
    private func attach(
        _ sites: [ProbeSite], _ kind: MultiUprobeOptions.Kind, _ program: String, _ path: String, _ pid: Int32?,
        _ object: borrowing LoadedObject, _ to: Attached
    ) throws(BPFError) {
        guard !sites.isEmpty else { return }
        let cookies = kind == .onReturn ? nil : sites.map { UInt64($0.op) }
        let options = MultiUprobeOptions(kind, path: path, offsets: sites.map(\.offset), cookies: cookies, pid: pid)
        to.insert(try object.program(program).attach(multiUprobe: options))
    }
}
