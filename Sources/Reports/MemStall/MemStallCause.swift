// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// Why a task waits for memory. The order is that of enum memstall_cause.
public enum MemStallCause: UInt32, CaseIterable, Hashable, Sendable {
    case other
    case directReclaim
    case memcgMax
    case memcgHigh
    case compaction
    case refault
    case swapin
    case oom
    case dirtyThrottle
    case kswapd
    case kcompactd
    case nodeReclaim
    case blkcgThrottle
    case asked

    /// In JSON and in tables.
    public var name: String {
        switch self {
        case .other: "other"
        case .directReclaim: "direct_reclaim"
        case .memcgMax: "memcg_max"
        case .memcgHigh: "memcg_high"
        case .compaction: "compaction"
        case .refault: "refault"
        case .swapin: "swapin"
        case .oom: "oom"
        case .dirtyThrottle: "dirty_throttle"
        case .kswapd: "kswapd"
        case .kcompactd: "kcompactd"
        case .nodeReclaim: "node_reclaim"
        case .blkcgThrottle: "blkcg_throttle"
        case .asked: "asked"
        }
    }

    /// Does a task wait? Not the kernel's own threads, nor who asks for reclaim by a control file.
    public var isWait: Bool {
        switch self {
        case .kswapd, .kcompactd, .asked: false
        case .other, .directReclaim, .memcgMax, .memcgHigh, .compaction, .refault, .swapin, .oom, .dirtyThrottle,
            .nodeReclaim, .blkcgThrottle:
            true
        }
    }

    /// How many enum memstall_cause has.
    package static var kernelCauses: Int { Int(MEMSTALL_CAUSES.rawValue) }
}
