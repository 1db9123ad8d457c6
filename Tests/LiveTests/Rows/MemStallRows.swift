// SPDX-License-Identifier: Apache-2.0

struct MemStallRow: Row {
    static let type = "memstall"
    @Known var pid: Int?
    @Known var tid: Int?
    @Known var comm: String?
    @Known var cgroup: String?
    let cause: String
    @Known var limitCgroup: String?
    let count: Int
    let stalledNs: Int
    let psiNs: Int
    let offCpuNs: Int
    let longestNs: Int
    let reclaimedPages: Int
    let stacks: [Stack]?

    struct Stack: Decodable, Sendable {
        struct Frame: Decodable, Sendable {
            @Known var symbol: String?
            @Known var module: String?
        }
        let count: Int
        let stalledNs: Int
        let longestNs: Int
        @Known var kernelFrames: [Frame]?
        @Known var userFrames: [Frame]?
        @Known var stackEnd: String?
    }
}

struct MemStallIntervalRow: Row {
    static let type = "memstall_interval"
    let intervalNs: Int
    let stalledNs: Int
    @Known var psiSomeNs: Int?
    @Known var psiFullNs: Int?
    @Known var explainedNs: Int?
    @Known var explainedRatio: Double?
    let hints: [String]
    let losses: Losses
}

struct MemStallCgroupRow: Row {
    static let type = "memstall_cgroup"
    let cgroup: String
    let stalledNs: Int
    let psiNs: Int
    @Known var psiSomeNs: Int?
    @Known var psiFullNs: Int?
    @Known var explainedNs: Int?
    @Known var explainedRatio: Double?
    @Known var unexplainedNs: Int?
}

struct MemStallCulpritRow: Row {
    static let type = "memstall_culprit"
    @Known var limitCgroup: String?
    let cause: String
    @Known var cgroup: String?
    let tasks: Int
    let stalledNs: Int
    let reclaimedPages: Int
    @Known var reclaimedRatio: Double?
    @Known var usageBytes: Int?
    @Known var grownBytes: Int?
    @Known var limitBytes: Int?
    let limitStalledNs: Int
    @Known var limitOomKills: Int?
    let limitWaitingRatio: Double
    let livelock: Bool
}

struct MemStallEvictionRow: Row {
    static let type = "memstall_eviction"
    let cause: String
    @Known var evictorCgroup: String?
    @Known var ownerCgroup: String?
    @Known var limitCgroup: String?
    let anonymousPages: Int
    let filePages: Int
    let unknownPages: Int
    @Known var ownerRefaultedAnonymousPages: Int?
    @Known var ownerRefaultedFilePages: Int?

    var pages: Int { anonymousPages + filePages + unknownPages }
}

struct MemStallReclaimRow: Row {
    static let type = "memstall_reclaim"
    struct Node: Decodable, Sendable {
        let node: Int
        let kswapdRounds: Int
        @Known var kswapdWorkNs: Int?
        @Known var kswapdOrder: Int?
        let kcompactdRounds: Int
        let kcompactdWorkNs: Int
    }
    struct Shrinker: Decodable, Sendable {
        @Known var function: String?
        let calls: Int
        let totalNs: Int
        let longestNs: Int
    }
    struct Zone: Decodable, Sendable {
        let zone: String
        let freePages: Int
        let highPages: Int
    }
    let intervalNs: Int
    @Known var kswapdStolenPages: Int?
    @Known var directStolenPages: Int?
    @Known var efficiencyRatio: Double?
    let nodes: [Node]
    @Known var shrinkers: [Shrinker]?
    let zones: [Zone]
}

struct MemStallEventRow: Row {
    static let type = "memstall_event"
    let pid: Int
    let cause: String
    @Known var limitCgroup: String?
    let stalledNs: Int
}

/// What workload-memstall came to.
struct MemStallTruth: Row {
    static let type = "truth"

    /// By the kernel's own counters of pressure.
    struct Pressure: Decodable, Sendable {
        let someNs: Int
        let fullNs: Int
    }

    /// What memory.stat of a cgroup says of its pages that reclaim took, and that came back; v1's has the latter alone.
    struct Taken: Decodable, Sendable {
        @Known var pgsteal: Int?
        @Known var workingsetRefaultAnon: Int?
        @Known var workingsetRefaultFile: Int?
    }

    /// By the kernel's delay accounting of the task.
    struct Delays: Decodable, Sendable {
        let freepagesNs: Int
        let thrashingNs: Int
        let swapinNs: Int
        @Known var compactNs: Int?
    }

    let pid: Int
    let durationNs: Int
    let cpuNs: Int
    let cgroup: String
    let limitCgroup: String
    let limitBytes: Int
    let victimCgroup: String?
    let passes: Int
    let taken: Taken
    let victimTaken: Taken?
    @Known var machinePressure: Pressure?
    @Known var cgroupPressure: Pressure?
    @Known var delays: Delays?
}
