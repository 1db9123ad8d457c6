// SPDX-License-Identifier: Apache-2.0

struct ShmSnoopRow: Row {
    static let type = "shmsnoop"
    let pid: Int
    let tid: Int
    let comm: String
    let call: String
    @Known var ret: Int?
    @Known var retAddress: Hex?
    @Known var errno: String?
    let compat: Bool
    @Known var durationNs: Int?
    let key: Int?
    let shmid: Int?
    @Known var address: Hex?
    let sizeBytes: Int?
    let fd: Int?
    let cmd: String?
    let name: String?
    let newName: String?
    let flags: [String]?

    /// What the call gave, be it a number or an address.
    var result: Int? { ret ?? retAddress?.value }
}

struct ShmSnoopSummaryRow: Row {
    static let type = "shmsnoop_summary"
    let losses: Losses
}

/// A line of `shmsnoop --list`.
struct ShmSegmentRow: Row {
    static let type = "shm_segment"

    struct Attached: Decodable, Sendable {}

    let shmid: Int
    let sizeBytes: Int
    let attachCount: Int
    let creatorAlive: Bool
    let orphan: Bool
    let attached: [Attached]
}

/// What workload-shmcalls called, and what it was answered.
struct ShmCallsTruth: Row {
    static let type = "truth"

    struct Call: Decodable, Sendable {
        let call: String
        let ret: Int?
        let errno: Int
        let errnoName: String?
        let attachedAt: Int?
        let key: Int?
        let shmid: Int?
        let shmaddr: Int?
        let buf: Int?
        let addr: Int?
        let sizeBytes: Int?
        let fd: Int?
        let name: String?
        let newName: String?
    }

    /// How the calls of a thread ended, and how many did so.
    struct Thread: Decodable, Sendable {
        let tid: Int
        let ends: [End]
    }

    struct End: Decodable, Sendable {
        let call: String
        let errnoName: String?
        let count: Int
    }

    let pid: Int
    let callsMade: Int
    let calls: [Call]?
    let threads: [Thread]?
}
