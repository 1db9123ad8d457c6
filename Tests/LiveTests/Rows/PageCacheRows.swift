// SPDX-License-Identifier: Apache-2.0

/// What cachestat, cachetop's rows and its intervals all count; nil is unknown.
protocol CountsPages {
    var readAccessPages: Int? { get }
    var faultAccessPages: Int? { get }
    var missPages: Int? { get }
    var dirtyPages: Int? { get }
    var writeAllocPages: Int? { get }
    var readaheadMissPages: Int? { get }
}

extension CountsPages {
    var pages: [(name: String, count: Int?)] {
        [
            ("read accesses", readAccessPages), ("fault accesses", faultAccessPages), ("misses", missPages),
            ("dirtied", dirtyPages), ("new by writes", writeAllocPages),
            ("misses by reading ahead", readaheadMissPages),
        ]
    }
}

struct CacheStatRow: Row, CountsPages {
    static let type = "cachestat"
    @Known var hitPages: Int?
    @Known var hitRatio: Double?
    @Known var missPages: Int?
    @Known var dirtyPages: Int?
    @Known var readAccessPages: Int?
    @Known var faultAccessPages: Int?
    @Known var writeAllocPages: Int?
    @Known var readaheadMissPages: Int?
    @Known var readaheadUsedPages: Int?
    @Known var readaheadDroppedPages: Int?
    let losses: Losses
}

struct CacheTopRow: Row, CountsPages {
    static let type = "cachetop"
    let pid: Int?
    let comm: String?
    let file: String?
    @Known var inode: Hex?
    let device: String?
    @Known var hitPages: Int?
    @Known var missPages: Int?
    @Known var dirtyPages: Int?
    @Known var readHitRatio: Double?
    @Known var writeHitRatio: Double?
    @Known var readAccessPages: Int?
    @Known var faultAccessPages: Int?
    @Known var writeAllocPages: Int?
    @Known var readaheadMissPages: Int?
}

struct CacheTopIntervalRow: Row, CountsPages {
    static let type = "cachetop_interval"
    @Known var missPages: Int?
    @Known var dirtyPages: Int?
    @Known var readAccessPages: Int?
    @Known var faultAccessPages: Int?
    @Known var writeAllocPages: Int?
    @Known var readaheadMissPages: Int?
    let unattributedPages: Int
    let losses: Losses
}

/// What workload-pagecache did.
struct PageCacheTruth: Row {
    static let type = "truth"
    let pattern: String
    let path: String
    let inode: Int
    let deviceMajor: Int
    let deviceMinor: Int
    let accessPages: Int
    let distinctPages: Int
    let missPagesExpected: Int
    let dirtiedPagesExpected: Int
    let readaheadDroppedPagesExpected: Int?
}
