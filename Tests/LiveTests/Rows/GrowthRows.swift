// SPDX-License-Identifier: Apache-2.0

/// A stack of growth's report.
struct GrowthRow: Row {
    static let type = "growth"

    struct Frame: Decodable, Sendable {
        @Known var symbol: String?
    }

    let pid: Int
    @Known var comm: String?
    let faultedBytes: Int
    @Known var residentBytes: Int?
    let hugeBytes: Int
    let anonymousBytes: Int
    let fileBytes: Int
    let sharedBytes: Int
    let faults: Int
    @Known var majorFaults: Int?
    @Known var waitNs: Int?
    @Known var frames: [Frame]?
    @Known var stackEnd: String?
}

struct GrowthSummaryRow: Row {
    static let type = "growth_summary"
    let rssBytes: Int
    let rssChangeBytes: Int
    let explainedBytes: Int
    let faultedBytes: Int
    let returnedBytes: Int
    let reclaimedBytes: Int
    let endedBytes: Int
    let elsewhereBytes: Int
    let losses: Losses
}

/// What workload-growth made resident.
struct GrowthTruth: Row {
    static let type = "truth"
    let pid: Int
    let pageBytes: Int
    let pages: Int
    let againPages: Int
    let threadPages: Int
    let hugePages: Int
    let residentBeforeBytes: Int
    let residentAfterBytes: Int
}
