// SPDX-License-Identifier: Apache-2.0

/// What workload-cacheedges did.
struct CacheEdgeTruth: Row {
    static let type = "truth"
    /// The one file that the case is about.
    let path: String?
    let accessPages: Int
    let faultPages: Int
    let missPages: Int
    let dirtiedPages: Int
    let usedPages: Int
    let droppedPages: Int
}
