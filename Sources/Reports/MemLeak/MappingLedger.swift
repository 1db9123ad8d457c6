// SPDX-License-Identifier: Apache-2.0

/// The mappings that processes made and did not unmap, whole or in parts.
///
/// Calls come in the order in which they returned, which is not always the order
/// in which the kernel carried them out: a range that one thread unmaps may be mapped
/// anew by another, whose call returns first. Therefore an unmapping takes away only
/// what was mapped before it began.
public struct MappingLedger: Sendable {
    /// What is left of one mapping, or a part of it.
    public struct Piece: Hashable, Sendable {
        /// First address.
        public var start: UInt64
        /// Address after the last.
        public var end: UInt64
        /// When the call that made it returned, CLOCK_MONOTONIC, nanoseconds.
        public let time: UInt64
        /// Key of the stack that made it; 0: unknown.
        public let stack: UInt64
        /// The same for all pieces of one mapping.
        public let mapping: UInt64

        /// Bytes.
        public var length: UInt64 { end - start }
    }

    private let pageSize: UInt64
    private var processes: [UInt32: [Piece]] = [:]
    private var nextMapping: UInt64 = 0

    public init(pageSize: UInt64) { self.pageSize = pageSize }

    /// The pieces of a process, by address.
    public func pieces(of pid: UInt32) -> [Piece] { processes[pid] ?? [] }

    /// Processes with mappings.
    public var pids: [UInt32] { Array(processes.keys) }

    /// A mapping was made. Whatever was there before is gone.
    ///
    /// - Parameters:
    ///   - length: as asked for; the kernel rounds it up to whole pages.
    ///   - granule: bytes of a page, where it is of huge pages.
    public mutating func map(
        pid: UInt32, address: UInt64, length: UInt64, time: UInt64, stack: UInt64,
        granule: UInt64? = nil
    ) {
        guard let end = end(address, length, granule ?? pageSize) else { return }
        remove(pid, address, end, before: .max)
        nextMapping += 1
        let piece = Piece(start: address, end: end, time: time, stack: stack, mapping: nextMapping)
        var pieces = processes[pid] ?? []
        let index = pieces.firstIndex(endingPast: address)
        pieces.insert(piece, at: index)
        processes[pid] = pieces
    }

    /// A range was unmapped, by a call that began at `time`.
    public mutating func unmap(pid: UInt32, address: UInt64, length: UInt64, begun time: UInt64) {
        guard let end = end(address, length, pageSize) else { return }
        remove(pid, address, end, before: time)
    }

    /// A range was moved, grown or shrunk. Shrinking in place is unmapping the tail;
    /// anything else is a new mapping by the stack that asked for it.
    public mutating func remap(
        pid: UInt32, address: UInt64, length: UInt64, newAddress: UInt64, newLength: UInt64,
        keepsOld: Bool, begun: UInt64, time: UInt64, stack: UInt64, recorded: Bool
    ) {
        guard let oldEnd = end(address, length, pageSize, allowingNothing: true),
            let newEnd = end(newAddress, newLength, pageSize)
        else { return }
        if newAddress == address && newEnd <= oldEnd {
            remove(pid, newEnd, oldEnd, before: begun)
            return
        }
        // length 0 makes a second mapping of shared memory, the first stays
        if length > 0 && !keepsOld { remove(pid, address, oldEnd, before: begun) }
        if recorded {
            map(pid: pid, address: newAddress, length: newLength, time: time, stack: stack)
        } else {
            remove(pid, newAddress, newEnd, before: .max)
        }
    }

    /// A process has exited, or its memory was replaced by exec.
    public mutating func forget(pid: UInt32) { processes[pid] = nil }

    private func end(
        _ address: UInt64, _ length: UInt64, _ granule: UInt64, allowingNothing: Bool = false
    ) -> UInt64? {
        guard length > 0 else { return allowingNothing ? address : nil }
        let (padded, tooLong) = length.addingReportingOverflow(granule - 1)
        let (end, wraps) = address.addingReportingOverflow(padded / granule * granule)
        return tooLong || wraps ? nil : end
    }

    private mutating func remove(_ pid: UInt32, _ start: UInt64, _ end: UInt64, before time: UInt64) {
        guard start < end, var pieces = processes[pid] else { return }
        let first = pieces.firstIndex(endingPast: start)
        var past = first
        var left: [Piece] = []
        while past < pieces.count, pieces[past].start < end {
            let piece = pieces[past]
            past += 1
            guard piece.time < time else {
                left.append(piece)
                continue
            }
            if piece.start < start {
                var head = piece
                head.end = start
                left.append(head)
            }
            if piece.end > end {
                var tail = piece
                tail.start = end
                left.append(tail)
            }
        }
        pieces.replaceSubrange(first..<past, with: left)
        processes[pid] = pieces.isEmpty ? nil : pieces
    }
}

extension [MappingLedger.Piece] {
    /// The first piece that reaches past an address; the pieces are sorted and disjoint.
    fileprivate func firstIndex(endingPast address: UInt64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].end > address { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
