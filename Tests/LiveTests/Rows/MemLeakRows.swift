// SPDX-License-Identifier: Apache-2.0

/// A stack with what is outstanding from it.
struct MemLeakRow: Row {
    static let type = "memleak"

    struct Frame: Decodable, Sendable {
        let address: Hex
        @Known var symbol: String?
        @Known var module: String?
        @Known var moduleOffset: Hex?
        @Known var buildId: String?
    }

    /// Shares by age.
    struct Survival: Decodable, Sendable {
        @Known var tenSeconds: Double?

        private enum CodingKeys: String, CodingKey { case tenSeconds = "10s" }
    }

    let time: String
    @Known var pid: Int?
    @Known var comm: String?
    let id: String
    let stacks: Int
    let verdict: String
    @Known var verdictConfidence: Double?
    @Known var growthBytesPerSecond: Double?
    @Known var growthBytesPerSecondError: Double?
    let survival: Survival
    let bytes: Int
    let count: Int
    let estimated: Bool
    @Known var bytesError: Int?
    /// Null: the stack was lost.
    @Known var frames: [Frame]?
    @Known var stackEnd: String?
    /// Known for the kernel's memory alone.
    let kind: String?
    let cache: String?
    let falseLeaksPossible: Bool?

    func isOn(_ function: (String) -> Bool) -> Bool {
        frames?.contains { $0.symbol.map(function) ?? false } ?? false
    }
}

struct MemLeakSummaryRow: Row {
    static let type = "memleak_summary"
    let time: String
    let outstandingBytes: Int
    let outstandingCount: Int
    let leakingStacks: Int
    let growingStacks: Int
    let suppressedStacks: Int
    let suppressedBytes: Int
    let youngerBytes: Int
    let youngerCount: Int
    @Known var baselineBytes: Int?
    @Known var baselineCount: Int?
    let sampleRate: Int
    @Known var sampleBytes: Int?
    let unmatchedFrees: Int
    @Known var sampledOut: Int?
    let filteredOut: Int
    @Known var failedCalls: Int?
    let unseenNewCalls: Int
    let abandonedCalls: Int
    let losses: Losses
    /// Known for the kernel's memory alone.
    let falseLeaksPossible: Bool?
    let bulkFreesSeen: Bool?
    let bulkFrees: Int?
    let rcuFrees: Int?
    /// Known of processes alone.
    let filesLeftOut: Int?
    let goneCount: Int
    let leftOut: [LeftOut]?
    let blocks: [Block]?

    struct Block: Decodable {
        let address: Hex
        let bytes: Int
    }

    struct LeftOut: Decodable, Hashable, Sendable {
        let file: String
        let part: String
        let reason: String
        let functions: [String]
    }
}

/// A stack that two recordings differ in.
struct MemLeakDiffRow: Row {
    static let type = "memleak_diff"
    let change: String
    let bytesChange: Int
    @Known var frames: [MemLeakRow.Frame]?
}

struct MemLeakDiffSummaryRow: Row {
    static let type = "memleak_diff_summary"
    let bytesBefore: Int
    let bytesAfter: Int
    let sameStacks: Int
}

/// A file whose allocator is traced.
struct MemLeakHookedRow: Row {
    static let type = "memleak_hooked"
    let file: String
    let functions: [String]
}

struct MemLeakSamplingRow: Row {
    static let type = "memleak_sampling"
    let overheadPercent: Double
    let sampleRate: Int
}

/// What workload-leaker holds.
struct LeakerTruth: Row {
    static let type = "truth"

    struct Kind: Decodable, Sendable {
        let function: String
        let outstandingBytes: Int
        let outstandingCount: Int
    }

    struct Child: Decodable, Sendable {
        let pid: Int
        let outstandingBytes: Int
        let outstandingCount: Int
    }

    let pid: Int
    let kinds: [Kind]
    let child: Child?
}

/// A step of Tests/Fixtures/steps.c or server.c is done.
struct DoneRow: Row { static let type = "done" }

/// A program of Tests/Workloads/stacks stands still where it has allocated.
struct LeakedRow: Row { static let type = "leaked" }

/// The first process of a container that Tests/Fixtures/contain.c made; the id is this side's.
struct ContainedRow: Row {
    static let type = "contained"
    let pid: Int32
}

/// What workload-kholder holds.
struct HolderTruth: Row { static let type = "truth" }
