// SPDX-License-Identifier: Apache-2.0

/// What seems to be outstanding of a slab cache, beside the kernel's own count of it.
public struct SlabCheck: Hashable, Sendable {
    public let cache: String
    /// Objects that were allocated during the trace, and whose free was not seen.
    public let outstanding: UInt64
    /// Objects in use now, whoever allocated them.
    public let inUse: UInt64
    /// How many more that is than at the start; 0 where it is fewer.
    public let growth: UInt64

    public init(cache: String, outstanding: UInt64, inUse: UInt64, growth: UInt64) {
        self.cache = cache
        self.outstanding = outstanding
        self.inUse = inUse
        self.growth = growth
    }

    /// Are some of the outstanding objects free, or may they be?
    ///
    /// What the cache has in use bounds them. Where some frees can't be seen, so does its growth, but for objects that are
    /// older than the trace and were freed in it: a quarter is left to those, and some objects to what the CPUs keep.
    ///
    /// - Parameter seesAllFrees: of what was recorded.
    public func isDoubtful(seesAllFrees: Bool) -> Bool {
        if outstanding > inUse { return true }
        return !seesAllFrees && outstanding >= growth + 16 && growth < outstanding - outstanding / 4
    }

    /// For text: all of them in a line.
    static func words(_ checks: [SlabCheck]) -> String {
        let some = checks.sorted { $0.outstanding &- $0.growth > $1.outstanding &- $1.growth }.prefix(8)
            .map { "\(Printable.text($0.cache)) \($0.outstanding) (+\($0.growth))" }
        return "more outstanding than slab caches have grown by since the start, so some may be free: "
            + some.joined(separator: ", ") + (checks.count > 8 ? ", …" : "")
    }
}
