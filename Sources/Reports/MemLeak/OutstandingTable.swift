// SPDX-License-Identifier: Apache-2.0

/// Where allocations are made: a process and a stack.
public struct AllocationSite: Hashable, Sendable {
    public let pid: UInt32
    /// Key of the stack table; 0: the stack could not be captured.
    public let stack: UInt64

    public init(pid: UInt32, stack: UInt64) {
        self.pid = pid
        self.stack = stack
    }
}

/// One outstanding allocation, for `-a`.
public struct OutstandingBlock: Hashable, Sendable {
    public let address: UInt64
    public let bytes: UInt64

    public init(address: UInt64, bytes: UInt64) {
        self.address = address
        self.bytes = bytes
    }
}

/// Adds up what is outstanding, for one report.
public struct OutstandingTable: Sendable {
    public private(set) var sites: [AllocationSite: OutstandingSum] = [:]
    /// All that were added, where they were asked for.
    public private(set) var blocks: [OutstandingBlock] = []
    private let youngest: UInt64
    private let weight: SampleWeight
    private let keepsBlocks: Bool
    private let ended: Set<UInt32>

    /// - Parameters:
    ///   - youngest: allocations made later (CLOCK_MONOTONIC nanoseconds) are left out.
    ///   - weight: how many allocations a sampled one stands for.
    ///   - ended: processes whose allocations count whatever their age: nobody will free them.
    public init(
        youngest: UInt64, weight: SampleWeight = .oneIn(1), keepsBlocks: Bool = false, ended: Set<UInt32> = []
    ) {
        self.ended = ended
        self.youngest = youngest
        self.weight = weight
        self.keepsBlocks = keepsBlocks
    }

    /// Adds a block of a heap.
    ///
    /// - Parameter weight: how many allocations it stands for, where that is its own.
    public mutating func add(
        pid: UInt32, address: UInt64, bytes: UInt64, time: UInt64, stack: UInt64, weight: SampleWeight? = nil
    ) {
        guard time <= youngest || ended.contains(pid) else { return }
        sites[AllocationSite(pid: pid, stack: stack), default: OutstandingSum()]
            .add(bytes: bytes, time: time, weight: weight ?? self.weight)
        if keepsBlocks { blocks.append(OutstandingBlock(address: address, bytes: bytes)) }
    }

    /// Adds all mappings of a ledger: a mapping of several pieces counts once.
    public mutating func add(_ ledger: MappingLedger) {
        for pid in ledger.pids {
            var seen: Set<UInt64> = []
            for piece in ledger.pieces(of: pid) where piece.time <= youngest || ended.contains(pid) {
                var sum = sites[AllocationSite(pid: pid, stack: piece.stack)] ?? OutstandingSum()
                sum.add(bytes: piece.length, time: piece.time, weight: .oneIn(1))
                if !seen.insert(piece.mapping).inserted { sum.count -= 1 }
                sites[AllocationSite(pid: pid, stack: piece.stack)] = sum
                if keepsBlocks {
                    blocks.append(OutstandingBlock(address: piece.start, bytes: piece.length))
                }
            }
        }
    }

    /// Adds what the kernel has added up itself.
    public mutating func add(
        total: AllocationTotal, pid: UInt32, stack: UInt64, isEstimated: Bool = false
    ) {
        guard total.count > 0, total.bytes >= 0 else { return }
        var sum = sites[AllocationSite(pid: pid, stack: stack)] ?? OutstandingSum()
        if case .oneIn(let rate) = weight { sum.add(total: total, rate: rate) }
        if isEstimated { sum.addEstimate() }
        sites[AllocationSite(pid: pid, stack: stack)] = sum
    }

    /// Bytes and allocations of all sites.
    public var total: OutstandingSum {
        var total = OutstandingSum()
        for sum in sites.values {
            total.add(sum)
            if let time = sum.oldestTime { total.oldestTime = min(total.oldestTime ?? .max, time) }
        }
        return total
    }

    /// The sites with the most, the largest first; equal ones in the order of their keys.
    public func top(_ count: Int, by order: MemLeakOrder) -> [(
        site: AllocationSite, sum: OutstandingSum
    )] {
        func key(_ sum: OutstandingSum) -> (UInt64, UInt64) {
            order == .size ? (sum.bytes, sum.count) : (sum.count, sum.bytes)
        }
        let sorted = sites.sorted { a, b in
            let (first, second) = (key(a.value), key(b.value))
            if first != second { return first > second }
            return (a.key.pid, a.key.stack) < (b.key.pid, b.key.stack)
        }
        return sorted.prefix(count).map { (site: $0.key, sum: $0.value) }
    }
}

/// What reports are sorted by.
public enum MemLeakOrder: String, CaseIterable, Sendable {
    case size, count
}
