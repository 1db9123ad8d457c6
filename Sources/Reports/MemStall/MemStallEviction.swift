// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// Pages by the list that reclaim took them from.
public struct EvictedPages: Hashable, Sendable {
    /// Shared memory and tmpfs among it, which go to swap too.
    public var anonymous: UInt64 = 0
    public var file: UInt64 = 0
    /// The event that says which was not seen.
    public var unknown: UInt64 = 0

    public init(anonymous: UInt64 = 0, file: UInt64 = 0, unknown: UInt64 = 0) {
        (self.anonymous, self.file, self.unknown) = (anonymous, file, unknown)
    }

    package init(_ record: memstall_eviction) {
        (anonymous, file, unknown) = record.pages
    }

    public var total: UInt64 { anonymous &+ file &+ unknown }

    /// What was added since an earlier reading.
    public func since(_ earlier: EvictedPages) -> EvictedPages {
        EvictedPages(
            anonymous: anonymous &- earlier.anonymous, file: file &- earlier.file, unknown: unknown &- earlier.unknown)
    }
}

/// Pages evicted in an interval: whose, by whom, and for what limit.
public struct MemStallEviction: Hashable, Sendable {
    /// The reclaiming task's; nil: a thread of the kernel's, or not known.
    public let evictor: CgroupPath?
    /// The cgroup whose pages they were; nil: not known.
    public let owner: CgroupPath?
    public let cause: MemStallCause
    /// nil: none, or not known.
    public let limit: CgroupPath?
    public let pages: EvictedPages
    /// Pages of the owner that came back in the interval, whoever evicted them, and when; nil: its files don't say.
    public var refaultedAnonymous: UInt64?
    public var refaultedFile: UInt64?

    public init(
        evictor: CgroupPath?, owner: CgroupPath?, cause: MemStallCause, limit: CgroupPath?, pages: EvictedPages
    ) {
        (self.evictor, self.owner, self.cause, self.limit, self.pages) = (evictor, owner, cause, limit, pages)
    }

    /// Does reclaim take them from others than who reclaims?
    public var isOthers: Bool { evictor != nil && owner != nil && evictor != owner }

    /// Those of an interval, most pages first, with what came back of each owner's.
    public static func evictions(
        _ evictions: [MemStallEviction], before: [CgroupPath: RefaultedPages], now: [CgroupPath: RefaultedPages]
    ) -> [MemStallEviction] {
        evictions.filter { $0.pages.total > 0 }.map { eviction in
            guard let owner = eviction.owner, let earlier = before[owner], let later = now[owner] else {
                return eviction
            }
            var eviction = eviction
            eviction.refaultedAnonymous = later.anonymous.flatMap { now in earlier.anonymous.map { now &- $0 } }
            eviction.refaultedFile = later.file.flatMap { now in earlier.file.map { now &- $0 } }
            return eviction
        }.sorted {
            if $0.pages.total != $1.pages.total { return $0.pages.total > $1.pages.total }
            return ($0.evictor?.path ?? "", $0.owner?.path ?? "", $0.cause.rawValue, $0.limit?.path ?? "")
                < ($1.evictor?.path ?? "", $1.owner?.path ?? "", $1.cause.rawValue, $1.limit?.path ?? "")
        }
    }
}

/// What memory.stat of a cgroup says of pages that were read again a short while after they were evicted.
public struct RefaultedPages: Hashable, Sendable {
    public var anonymous: UInt64?
    public var file: UInt64?

    public init(anonymous: UInt64? = nil, file: UInt64? = nil) { (self.anonymous, self.file) = (anonymous, file) }

    /// - Parameter stat: memory.stat; v2's counts what is below the cgroup too, v1's names that by `total_`.
    public init(stat: String?, isUnified: Bool) {
        guard let stat else { return }
        let prefix = (isUnified ? "" : "total_") + "workingset_refault_"
        anonymous = StallCgroupFiles.counter(prefix + "anon", in: stat)
        file = StallCgroupFiles.counter(prefix + "file", in: stat)
    }
}

extension MemStallText {
    /// Who evicted whose pages.
    func evictions(_ interval: MemStallInterval) -> [String] {
        guard let evictions = interval.evictions else { return [] }
        guard !evictions.isEmpty else { return ["no pages were evicted"] }
        var head = TableLine()
        head.left("WHO EVICTED", Self.pathWidth)
        head.left("WHOSE PAGES", Self.pathWidth)
        head.left("FOR", 14)
        head.right(["ANON", "FILE", "BACK"], 7)
        head.add("LIMIT")
        return [head.text]
            + evictions.map { eviction in
                var line = TableLine()
                let isKernel = [.kswapd, .kcompactd].contains(eviction.cause)
                line.left(isKernel ? eviction.cause.name : path(eviction.evictor), Self.pathWidth)
                line.left(path(eviction.owner), Self.pathWidth)
                line.left(eviction.cause.name, 14)
                line.right(String(eviction.pages.anonymous &+ eviction.pages.unknown), 7)
                line.right(String(eviction.pages.file), 7)
                let back = [eviction.refaultedAnonymous, eviction.refaultedFile].compactMap { $0 }
                line.right(back.isEmpty ? "-" : String(back.reduce(0, &+)), 7)
                line.add(path(eviction.limit))
                return line.text
            }
    }
}

extension MemStallJSON {
    static func line(_ eviction: MemStallEviction, _ interval: MemStallInterval) -> JSONLine {
        var line = JSONLine(type: "memstall_eviction")
        line.add("time", interval.time.rfc3339)
        line.add("interval_ns", interval.intervalNanoseconds)
        line.add("cause", eviction.cause.name)
        line.add("evictor_cgroup", eviction.evictor?.path)
        line.add("owner_cgroup", eviction.owner?.path)
        line.add("limit_cgroup", eviction.limit?.path)
        line.add("anonymous_pages", eviction.pages.anonymous)
        line.add("file_pages", eviction.pages.file)
        line.add("unknown_pages", eviction.pages.unknown)
        line.add("owner_refaulted_anonymous_pages", eviction.refaultedAnonymous)
        line.add("owner_refaulted_file_pages", eviction.refaultedFile)
        return line
    }
}
