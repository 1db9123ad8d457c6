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
    /// What was left out for its age.
    public private(set) var younger = OutstandingSum()
    /// What was left out for it is older than the baseline.
    public private(set) var older = OutstandingSum()
    private let grid: AgeGrid?
    private let youngest: UInt64
    private let baseline: UInt64
    private let weight: SampleWeight
    private let keepsBlocks: Bool
    private let ended: Set<UInt32>

    /// - Parameters:
    ///   - youngest: allocations made later (CLOCK_MONOTONIC nanoseconds) are left out.
    ///   - weight: how many allocations a sampled one stands for.
    ///   - ended: processes whose allocations count whatever their age: nobody will free them.
    ///   - grid: sums are sorted by age too.
    ///   - baseline: allocations made until then are left out.
    public init(
        youngest: UInt64, weight: SampleWeight = .oneIn(1), keepsBlocks: Bool = false, ended: Set<UInt32> = [],
        grid: AgeGrid? = nil, baseline: UInt64 = 0
    ) {
        self.grid = grid
        self.baseline = baseline
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
        guard time > baseline || baseline == 0 else {
            return older.add(bytes: bytes, time: time, weight: weight ?? self.weight)
        }
        guard time <= youngest || ended.contains(pid) else {
            return younger.add(bytes: bytes, time: time, weight: weight ?? self.weight)
        }
        sites[AllocationSite(pid: pid, stack: stack), default: OutstandingSum()]
            .add(bytes: bytes, time: time, weight: weight ?? self.weight, grid: grid)
        if keepsBlocks { blocks.append(OutstandingBlock(address: address, bytes: bytes)) }
    }

    /// Adds all mappings of a ledger: a mapping of several pieces counts once.
    public mutating func add(_ ledger: MappingLedger) {
        for pid in ledger.pids {
            var seen: Set<UInt64> = []
            for piece in ledger.pieces(of: pid) {
                let isFirst = seen.insert(piece.mapping).inserted
                guard piece.time > baseline || baseline == 0 else {
                    older.add(bytes: piece.length, time: piece.time, weight: .oneIn(1))
                    if !isFirst { older.count -= 1 }
                    continue
                }
                guard piece.time <= youngest || ended.contains(pid) else {
                    younger.add(bytes: piece.length, time: piece.time, weight: .oneIn(1))
                    if !isFirst { younger.count -= 1 }
                    continue
                }
                let site = AllocationSite(pid: pid, stack: piece.stack)
                sites[site, default: OutstandingSum()]
                    .add(bytes: piece.length, time: piece.time, weight: .oneIn(1), grid: grid)
                if !isFirst { sites[site]?.count -= 1 }
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
        }
        return total
    }
}
