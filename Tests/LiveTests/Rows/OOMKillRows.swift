// SPDX-License-Identifier: Apache-2.0

struct OOMKillRow: Row {
    static let type = "oomkill"
    let killId: Hex
    let victimPid: Int
    @Known var victimComm: String?
    @Known var victimUid: Int?
    @Known var victimCmdline: String?
    @Known var oomScoreAdj: Int?
    @Known var triggerPid: Int?
    @Known var triggerTid: Int?
    @Known var cgroup: String?
    @Known var signalSent: Bool?
    @Known var sharesMemory: Bool?
    @Known var constraint: String?
    @Known var limitCgroup: String?
    @Known var limitBytes: Int?
    @Known var usageBytes: Int?
    @Known var totalVmBytes: Int?
    @Known var anonRssBytes: Int?
    @Known var fileRssBytes: Int?
    @Known var shmemRssBytes: Int?
    @Known var pgtablesBytes: Int?
    @Known var gfpMask: Int?
    @Known var gfpFlags: String?
    @Known var order: Int?
}

struct OOMKillEndRow: Row {
    static let type = "oomkill_end"
    let victimPid: Int
}

struct OOMKillUserspaceRow: Row {
    static let type = "oomkill_userspace"
    let killer: String
    let inferredFrom: [String]
    let signal: String
    let senderPid: Int
    let senderComm: String
    let victimPid: Int
    let victimComm: String
    let victimUid: Int
    @Known var victimCmdline: String?
    @Known var anonRssBytes: Int?
    @Known var totalBytes: Int?
}

struct OOMKillExplanationRow: Row {
    static let type = "oomkill_explanation"
    let source: String
    @Known var killId: Hex?
    @Known var killer: String?
    @Known var killerPid: Int?
    @Known var inferredFrom: [String]?
    @Known var signal: String?
    @Known var freedBytes: Int?
    @Known var freedAfterSeconds: Double?
    @Known var nextKillAfterSeconds: Double?
    @Known var restart: Restart?
    @Known var triggerPid: Int?
    let victimPid: Int
    @Known var constraint: String?
    @Known var limitCgroup: String?
    @Known var limitBytes: Int?
    @Known var sampleAgeSeconds: Double?
    let growers: [Grower]
    let candidates: [Candidate]
    let usage: [Usage]
    let advice: [Advice]
    let nextStep: String

    struct Grower: Decodable {
        let pid: Int
        let cgroup: String?
        let bytesPerSecond: Double
        let since: String
    }

    struct Candidate: Decodable {
        let pid: Int
        let points: Int?
        let oomScoreAdj: Int
        let adjustmentPoints: Int
        let chosen: Bool
    }

    struct Restart: Decodable {
        let pid: Int
        let cgroup: String
        let afterSeconds: Double
    }

    struct Usage: Decodable {
        let time: String
        let bytes: Int
    }

    struct Advice: Decodable {
        let setting: String
        let value: Int
        let pid: Int
        let chosenPid: Int
    }
}

struct OOMKillSummaryRow: Row {
    static let type = "oomkill_summary"
    let kills: Int
    let userspaceKills: Int
    let cgroups: [Counts]
    let losses: Losses

    struct Counts: Decodable {
        let cgroup: String?
        let kills: Int
        let userspaceKills: Int
    }
}

/// What workload-oomhog did, and what the kernel log says of it.
struct OOMHogTruth: Row {
    static let type = "truth"

    struct Victim: Decodable, Sendable {
        let pid: Int
        let comm: String
        let cmdline: String
        let uid: Int
        let oomScoreAdj: Int
        let triggerPid: Int
        let triggerTid: Int
        let siblingPid: Int?
        let touchedAnonKb: Int?
        let baseAnonKb: Int?
        let log: Log?
    }

    /// The kernel log's report is limited to 10 in 5 s: it may be silent.
    struct Log: Decodable, Sendable {
        let totalVmKb: Int?
        let anonRssKb: Int?
        let fileRssKb: Int?
        let shmemRssKb: Int?
        let pgtablesKb: Int?
        let chosenPid: Int?
        let gfpMask: String?
        let gfpFlags: String?
        let order: Int?
    }

    let cgroup: String
    let limitBytes: Int
    let victims: [Victim]
}

/// The same where the whole machine ran out: there is no cgroup.
struct GlobalOOMTruth: Row {
    static let type = "truth"
    let victims: [OOMHogTruth.Victim]
}
