// SPDX-License-Identifier: Apache-2.0

struct NewToolIntervalRow: Row {
    static let type = "newtool"

    struct Process: Decodable, Sendable {
        let pid: Int
        let comm: String
        let tasks: Int
        @Known var threads: Int?
    }

    let tasks: Int
    @Known var threads: Int?
    let processes: [Process]
    let losses: Losses
}

/// What workload-newtool did.
struct NewToolTruth: Row {
    static let type = "truth"
    let processes: Int
    let threads: Int

    var tasks: Int { processes + threads }
}
