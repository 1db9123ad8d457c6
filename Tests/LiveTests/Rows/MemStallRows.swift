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
    @Known var machinePressure: Pressure?
    @Known var cgroupPressure: Pressure?
    @Known var delays: Delays?
}
