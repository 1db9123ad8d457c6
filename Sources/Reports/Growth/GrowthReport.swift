// SPDX-License-Identifier: Apache-2.0

/// One row of a report: the pages that a stack of a process made resident since the start.
public struct GrowthStack: Hashable, Sendable {
    public let pid: UInt32
    /// The process's name; nil: not known.
    public let comm: String?
    public var pages: GrowthPages
    /// Pages of this stack that are resident now. A page that another stack has faulted in since is that stack's. nil:
    /// not known.
    public var resident: UInt64?
    public var huge: UInt64
    public var faults: UInt64
    /// Major faults, and how long they waited; nil where no hook sees them.
    public var majors: UInt64?
    public var waitNanoseconds: UInt64?
    /// Innermost first; nil: the stack was not captured.
    public let frames: [MemLeakFrame]?
    public let end: StackEnd?

    public init(
        _ site: GrowthSite, comm: String?, resident: UInt64?, seesFaults: Bool, frames: [MemLeakFrame]?,
        end: StackEnd?
    ) {
        pid = site.space.pid
        self.comm = comm
        pages = site.pages
        self.resident = resident
        (huge, faults) = (site.huge, site.faults)
        majors = seesFaults ? site.majors : nil
        waitNanoseconds = seesFaults ? site.waitNanoseconds : nil
        self.frames = frames
        self.end = end
    }

    /// Adds another that goes through the same functions.
    mutating func add(_ other: GrowthStack) {
        pages = pages + other.pages
        resident = both(resident, other.resident)
        huge &+= other.huge
        faults &+= other.faults
        majors = both(majors, other.majors)
        waitNanoseconds = both(waitNanoseconds, other.waitNanoseconds)
    }

    private func both(_ one: UInt64?, _ other: UInt64?) -> UInt64? {
        guard let one, let other else { return nil }
        return one &+ other
    }

    /// Stacks of one process that go through the same functions become one, the largest's; what is resident comes
    /// first, then what was faulted.
    public static func merged(_ stacks: [GrowthStack]) -> [GrowthStack] {
        struct Key: Hashable {
            let pid: UInt32
            let id: StackID
        }
        var groups: [Key: [GrowthStack]] = [:]
        for stack in stacks {
            groups[Key(pid: stack.pid, id: StackID(stack.frames, by: .function)), default: []].append(stack)
        }
        var result: [GrowthStack] = []
        for group in groups.values {
            let sorted = group.sorted { $0.order > $1.order }
            guard var sum = sorted.first else { continue }
            for other in sorted.dropFirst() { sum.add(other) }
            result.append(sum)
        }
        return result.sorted { $0.order > $1.order }
    }

    /// Rows are ordered by resident pages where these are known, else by all pages.
    private var order: (Int64, Int64, UInt32) {
        (resident.map { Int64(clamping: $0) } ?? pages.total, pages.total, pid)
    }
}

/// Pages that stacks made resident since the start, and changes of resident memory as a whole.
public struct GrowthReport: Hashable, Sendable {
    public let time: WallTime
    /// Since the start of the trace.
    public let elapsedNanoseconds: UInt64
    /// The largest, largest first.
    public let stacks: [GrowthStack]
    /// How many there are.
    public let stackCount: Int
    public let sums: GrowthSums
    public let pageBytes: UInt64
    public let losses: Losses

    public init(
        time: WallTime, elapsedNanoseconds: UInt64, stacks: [GrowthStack], stackCount: Int, sums: GrowthSums,
        pageBytes: UInt64, losses: Losses
    ) {
        (self.time, self.elapsedNanoseconds, self.stacks) = (time, elapsedNanoseconds, stacks)
        (self.stackCount, self.sums, self.pageBytes, self.losses) = (stackCount, sums, pageBytes, losses)
    }

    func bytes(_ pages: Int64) -> Int64 { pages &* Int64(pageBytes) }
    func bytes(_ pages: UInt64) -> UInt64 { pages &* pageBytes }
}
