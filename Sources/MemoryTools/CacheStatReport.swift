// SPDX-License-Identifier: Apache-2.0

/// One row of cachestat.
public struct CacheStatRow: Hashable, Sendable {
    public let time: WallTime
    public let intervalNanoseconds: UInt64
    public let pages: PageCacheInterval
    public let memory: MemoryInfo
    public let losses: Losses

    public init(
        time: WallTime, intervalNanoseconds: UInt64, pages: PageCacheInterval, memory: MemoryInfo,
        losses: Losses
    ) {
        self.time = time
        self.intervalNanoseconds = intervalNanoseconds
        self.pages = pages
        self.memory = memory
        self.losses = losses
    }
}

/// cachestat's text, with bcc's columns and widths.
public enum CacheStatText {
    public static func header(timestamps: Bool) -> String {
        (timestamps ? "TIME".left(8) + " " : "")
            + ["HITS", "MISSES", "DIRTIES", "HITRATIO"].map { $0.right(8) }.joined(separator: " ")
            + " " + "BUFFERS_MB".right(12) + " " + "CACHED_MB".right(10)
    }

    public static func line(_ row: CacheStatRow, timestamps: Bool) -> String {
        let pages = row.pages
        let ratio = fixed(100 * (pages.hitRatio ?? 0), 2).right(7) + "%"
        func megabytes(_ bytes: UInt64?) -> String {
            bytes.map { fixed(Double($0) / 1_048_576, 0) } ?? "?"
        }
        return (timestamps ? row.time.clockTime.left(8) + " " : "")
            + [pages.hitPages, pages.missPages, pages.dirtyPages]
            .map { String($0).right(8) }.joined(separator: " ")
            + " " + ratio + " " + megabytes(row.memory.buffersBytes).right(12) + " "
            + megabytes(row.memory.cachedBytes).right(10)
    }
}

/// cachestat's JSON; Docs/tools/cachestat.md has the schema.
public enum CacheStatJSON {
    public static func line(_ row: CacheStatRow) -> JSONLine {
        var line = JSONLine(type: "cachestat")
        line.add("time", row.time.rfc3339)
        line.add("interval_ns", row.intervalNanoseconds)
        line.add("hit_pages", row.pages.hitPages)
        line.add("miss_pages", row.pages.missPages)
        line.add("dirty_pages", row.pages.dirtyPages)
        line.add("hit_ratio", row.pages.hitRatio)
        line.add("buffers_bytes", row.memory.buffersBytes)
        line.add("cached_bytes", row.memory.cachedBytes)
        line.add("read_access_pages", row.pages.readAccessPages)
        line.add("fault_access_pages", row.pages.faultAccessPages)
        line.add("losses", row.losses.json)
        return line
    }
}
