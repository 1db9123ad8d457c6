// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// Resident pages by what they are, or a change of them.
public struct GrowthPages: Hashable, Sendable {
    public var file: Int64
    public var anonymous: Int64
    /// Shared memory and files of a tmpfs.
    public var shared: Int64

    public init(file: Int64 = 0, anonymous: Int64 = 0, shared: Int64 = 0) {
        (self.file, self.anonymous, self.shared) = (file, anonymous, shared)
    }

    /// Four numbers in the order of `growth_kind`; entries of swap are no pages.
    package init(_ counts: (Int64, Int64, Int64, Int64)) {
        (file, anonymous, shared) = (counts.0, counts.1, counts.3)
    }

    public var total: Int64 { file &+ anonymous &+ shared }

    public static func + (left: Self, right: Self) -> Self {
        Self(
            file: left.file &+ right.file, anonymous: left.anonymous &+ right.anonymous,
            shared: left.shared &+ right.shared)
    }
}

/// One address space of a process: each exec gives a new one.
public struct GrowthSpaceID: Hashable, Sendable {
    public let pid: UInt32
    public let serial: UInt32

    public init(pid: UInt32, serial: UInt32) { (self.pid, self.serial) = (pid, serial) }
}

/// Changes of the resident pages of address spaces since they were first seen, in pages.
public struct GrowthSums: Hashable, Sendable {
    /// By how much the counters themselves changed, read from them.
    public var change: Int64 = 0
    /// Resident now.
    public var resident: Int64 = 0
    /// Made resident by stacks, less what the same faults replaced.
    public var faulted: Int64 = 0
    /// Made resident by no stack: by fork, exec, the kernel's threads, other processes.
    public var elsewhere: Int64 = 0
    /// Given back by the process itself.
    public var returned: Int64 = 0
    /// Taken by reclaim.
    public var reclaimed: Int64 = 0
    /// Taken by other processes otherwise.
    public var taken: Int64 = 0
    /// Gone with the end of an address space.
    public var ended: Int64 = 0

    public init() {}

    package init(_ space: growth_space) {
        resident = GrowthPages(space.now).total
        change = resident &- GrowthPages(space.base).total
        (faulted, elsewhere, returned) = (space.faulted, space.elsewhere, space.returned)
        (reclaimed, taken, ended) = (space.reclaimed, space.taken, space.ended)
    }

    /// No longer resident, for any reason.
    public var lost: Int64 { returned &+ reclaimed &+ taken &+ ended }

    /// The sum of what was seen.
    public var explained: Int64 { faulted &+ elsewhere &- returned &- reclaimed &- taken &- ended }

    public static func += (left: inout Self, right: Self) {
        left.change &+= right.change
        left.resident &+= right.resident
        left.faulted &+= right.faulted
        left.elsewhere &+= right.elsewhere
        left.returned &+= right.returned
        left.reclaimed &+= right.reclaimed
        left.taken &+= right.taken
        left.ended &+= right.ended
    }
}

/// One address space, and how its resident pages changed.
public struct GrowthSpace: Hashable, Sendable {
    public let id: GrowthSpaceID
    /// The process's name when it was first seen.
    public let comm: String
    public let sums: GrowthSums

    package init(_ space: growth_space) {
        id = GrowthSpaceID(pid: space.pid, serial: space.serial)
        comm = fixedText(space.comm)
        sums = GrowthSums(space)
    }
}

/// The pages that one stack of an address space made resident.
public struct GrowthSite: Hashable, Sendable {
    public let space: GrowthSpaceID
    /// Its place in the stack table; 0: it was not captured.
    public let stack: UInt64
    /// Its key in `GrowthResidency`.
    public let id: UInt32
    public var pages: GrowthPages
    public var huge: UInt64
    /// Pages whose addresses were not noted.
    public var unplaced: UInt64
    public var faults: UInt64
    public var majors: UInt64
    public var waitNanoseconds: UInt64

    public init(
        space: GrowthSpaceID, stack: UInt64, id: UInt32, pages: GrowthPages, huge: UInt64 = 0, unplaced: UInt64 = 0,
        faults: UInt64 = 0, majors: UInt64 = 0, waitNanoseconds: UInt64 = 0
    ) {
        (self.space, self.stack, self.id, self.pages) = (space, stack, id, pages)
        (self.huge, self.unplaced, self.faults) = (huge, unplaced, faults)
        (self.majors, self.waitNanoseconds) = (majors, waitNanoseconds)
    }

    package init(_ key: growth_site_key, _ site: growth_site) {
        self.init(
            space: GrowthSpaceID(pid: key.pid, serial: key.serial), stack: key.stack, id: site.id,
            pages: GrowthPages(site.pages), huge: site.huge, unplaced: site.unplaced, faults: site.faults,
            majors: site.majors, waitNanoseconds: site.wait_ns)
    }
}
