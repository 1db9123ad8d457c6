// SPDX-License-Identifier: Apache-2.0

struct MemInfoRow: Row {
    static let type = "meminfo"

    struct Part: Decodable, Sendable {
        let name: String
        @Known var parent: String?
        @Known var bytes: Int?
        @Known var changeBytes: Int?
    }

    let totalBytes: Int
    let parts: [Part]
    let unaccountedBytes: Int
    let unaccountedErrorBytes: Int
    @Known var unaccountedBytesPerSecond: Double?

    func bytes(_ name: String) -> Int? { parts.first { $0.name == name }?.bytes }

    /// Those that are no other's parent.
    var leaves: [Part] {
        let parents = Set(parts.compactMap(\.parent))
        return parts.filter { !parents.contains($0.name) }
    }

    /// Does it sum to MemTotal, to the byte?
    var addsUp: Bool { leaves.reduce(unaccountedBytes) { $0 + ($1.bytes ?? 0) } == totalBytes }
}

struct MemInfoDetailRow: Row {
    static let type = "meminfo_detail"
    let part: String
    let name: String
    let bytes: Int
}

struct MemInfoHintRow: Row {
    static let type = "meminfo_hint"
    let rule: String
    let fact: String
}

/// What workload-memholder holds.
struct MemHolderTruth: Row {
    static let type = "truth"
    let pid: Int
    let heldBytes: Int?
    let threads: Int?
}

struct MemInfoProcessRow: Row {
    static let type = "meminfo_process"
    let pid: Int
    let rssBytes: Int
    let anonBytes: Int
    @Known var pssBytes: Int?
    @Known var ussBytes: Int?
}

struct MemInfoFileRow: Row {
    static let type = "meminfo_file"
    let part: String
    let name: String
    let bytes: Int
    let holders: Int
    @Known var pid: Int?
}

struct MemInfoCgroupRow: Row {
    static let type = "meminfo_cgroup"
    let path: String
    @Known var currentBytes: Int?
}

struct MemInfoZoneRow: Row {
    static let type = "meminfo_zone"
    let managedBytes: Int
    let minBytes: Int
    let lowBytes: Int
    let highBytes: Int
}

struct MemInfoNodeRow: Row {
    static let type = "meminfo_node"
    let managedBytes: Int
}

struct MemInfoUnaccountedRow: Row {
    static let type = "meminfo_unaccounted"

    struct Stack: Decodable, Sendable {
        let bytes: Int
        let allocations: Int
        let functions: [String]
    }

    let growthBytes: Int
    let explainedBytes: Int
    let stacks: [Stack]
}
