// SPDX-License-Identifier: Apache-2.0
public import TraceRecords
internal import Glibc

/// Whose allocations: a process and the stack that made them.
public struct AllocationSite: Hashable, Sendable {
    public let pid: UInt32
    /// Key of the stack table; 0: the stack could not be captured.
    public let stack: UInt64

    public init(pid: UInt32, stack: UInt64) {
        self.pid = pid
        self.stack = stack
    }
}

/// How many allocations a recorded one stands for.
public enum SampleWeight: Hashable, Sendable {
    /// One in so many was recorded, whatever its size; 1: all.
    case oneIn(UInt64)
    /// Sample points lay so many bytes apart on average: an allocation of n bytes was
    /// recorded with probability 1 - exp(-n / distance).
    case distance(Double)
}

/// What one site has outstanding.
public struct OutstandingSum: Hashable, Sendable {
    public var bytes: UInt64 = 0
    public var count: UInt64 = 0
    /// When the oldest was made, CLOCK_MONOTONIC nanoseconds; nil: not known.
    public var oldestTime: UInt64?
    /// Some of it stands for allocations that sampling passed over.
    public var isEstimated = false
    /// Of the estimates (Horvitz and Thompson's); NaN where it can't be told.
    var bytesVariance = 0.0
    var countVariance = 0.0
    /// What rounding keeps back.
    private var bytesRest = 0.0
    private var countRest = 0.0

    public init() {}

    /// One standard error of an estimate; nil where nothing is estimated or it can't be told.
    public var bytesError: UInt64? { Self.error(bytesVariance, isEstimated) }
    public var countError: UInt64? { Self.error(countVariance, isEstimated) }

    private static func error(_ variance: Double, _ isEstimated: Bool) -> UInt64? {
        guard isEstimated, variance.isFinite else { return nil }
        return UInt64(exactly: variance.squareRoot().rounded())
    }

    /// Adds another's bytes and allocations.
    public mutating func add(_ other: OutstandingSum) {
        bytes &+= other.bytes
        count &+= other.count
        bytesVariance += other.bytesVariance
        countVariance += other.countVariance
        if other.isEstimated { isEstimated = true }
    }

    /// Adds a heap block, and those of its kind that it stands for.
    mutating func add(bytes size: UInt64, time: UInt64, weight: SampleWeight) {
        oldestTime = min(oldestTime ?? .max, time)
        switch weight {
        case .oneIn(let rate):
            bytes &+= size &* rate
            count &+= rate
            if rate > 1 { estimated(size, probability: 1 / Double(rate)) }
        case .distance(let distance):
            let probability = -expm1(-Double(max(1, size)) / distance)
            bytesRest += Double(size) / probability
            countRest += 1 / probability
            bytes &+= UInt64(bytesRest)
            count &+= UInt64(countRest)
            bytesRest -= bytesRest.rounded(.down)
            countRest -= countRest.rounded(.down)
            estimated(size, probability: probability)
        }
    }

    private mutating func estimated(_ size: UInt64, probability: Double) {
        let excess = (1 - probability) / (probability * probability)
        isEstimated = true
        bytesVariance += excess * Double(size) * Double(size)
        countVariance += excess
    }

    /// Some of the sum is an estimate whose error can't be told.
    mutating func addEstimate() {
        isEstimated = true
        bytesVariance = .nan
        countVariance = .nan
    }

    /// Adds what the kernel added up of allocations recorded at a rate: of their sizes
    /// nothing is known but the sum.
    mutating func add(total: memleak_total, rate: UInt64) {
        bytes &+= UInt64(total.bytes) &* rate
        count &+= UInt64(total.count) &* rate
        guard rate > 1 else { return }
        isEstimated = true
        bytesVariance = .nan
        countVariance += Double(total.count) * Double(rate) * Double(rate - 1)
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
        total: memleak_total, pid: UInt32, stack: UInt64, isEstimated: Bool = false
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

/// What the programs counted, since they were loaded.
public struct MemLeakCounters: Hashable, Sendable {
    public var allocations: UInt64 = 0
    public var frees: UInt64 = 0
    public var unmatchedFrees: UInt64 = 0
    public var sampledOut: UInt64 = 0
    public var filteredOut: UInt64 = 0
    public var failed: UInt64 = 0
    public var abandoned: UInt64 = 0
    /// Stacks put into the kernel's table.
    public var stacks: UInt64 = 0
    /// Calls of an operator new that could not be watched.
    public var unseenNew: UInt64 = 0

    public init() {}

    /// The sum of what the CPUs counted.
    public init(records: [memleak_counters]) {
        for record in records {
            allocations &+= record.allocations
            frees &+= record.frees
            unmatchedFrees &+= record.unmatched_frees
            sampledOut &+= record.sampled_out
            filteredOut &+= record.filtered_out
            failed &+= record.failed
            abandoned &+= record.abandoned
            stacks &+= record.stacks
            unseenNew &+= record.unseen_new
        }
    }
}

extension MappingLedger {
    /// What a process has mapped.
    public func sum(of pid: UInt32) -> OutstandingSum {
        let pieces = pieces(of: pid)
        var sum = OutstandingSum()
        sum.bytes = pieces.reduce(0) { $0 &+ $1.length }
        sum.count = UInt64(Set(pieces.map(\.mapping)).count)
        return sum
    }

    /// Takes in a call of mmap, munmap or mremap that succeeded.
    public mutating func apply(_ event: memleak_event) {
        switch event.op {
        case MEMLEAK_MMAP.rawValue:
            guard event.recorded != 0 else { return }
            map(
                pid: event.pid, address: event.result, length: event.length, time: event.time_ns,
                stack: event.stack, granule: Self.granule(flags: event.map_flags))
        case MEMLEAK_MUNMAP.rawValue:
            unmap(pid: event.pid, address: event.address, length: event.length, begun: event.enter_ns)
        case MEMLEAK_MREMAP.rawValue:
            remap(
                pid: event.pid, address: event.address, length: event.length,
                newAddress: event.result, newLength: event.new_length,
                keepsOld: event.map_flags & 4 != 0,  // MREMAP_DONTUNMAP
                begun: event.enter_ns, time: event.time_ns, stack: event.stack,
                recorded: event.recorded != 0)
        default: return
        }
    }

    /// MAP_HUGETLB, whose page size is in the flags' upper bits; 2 MiB where they say nothing.
    static func granule(flags: UInt64) -> UInt64? {
        guard flags & 0x40000 != 0 else { return nil }
        let exponent = (flags >> 26) & 0x3f
        return exponent == 0 ? 2 << 20 : 1 << exponent
    }
}
