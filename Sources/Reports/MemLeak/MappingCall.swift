// SPDX-License-Identifier: Apache-2.0

/// A call of mmap, munmap or mremap that succeeded. Addresses and lengths are in bytes, as the caller gave them.
public struct MappingCall: Hashable, Sendable {
    /// What it did to the address space.
    public enum Change: Hashable, Sendable {
        /// - Parameter granule: bytes of a page where it is a huge one, nil: the machine's own.
        case mapped(address: UInt64, length: UInt64, granule: UInt64?)
        case unmapped(address: UInt64, length: UInt64)
        /// - Parameter keepsOld: the old range stays mapped, empty (MREMAP_DONTUNMAP).
        case remapped(address: UInt64, length: UInt64, newAddress: UInt64, newLength: UInt64, keepsOld: Bool)
    }

    public let pid: UInt32
    /// When it began, CLOCK_MONOTONIC nanoseconds.
    public let begun: UInt64
    /// When it returned.
    public let time: UInt64
    /// Key of the stack table; 0: unknown.
    public let stack: UInt64
    /// What it made counts: the size filter let it through.
    public let isRecorded: Bool
    public let change: Change

    /// MAP_HUGETLB, whose page size is in the flags' upper bits; 2 MiB where they say nothing.
    static func granule(flags: UInt64) -> UInt64? {
        guard flags & 0x40000 != 0 else { return nil }
        let exponent = (flags >> 26) & 0x3f
        return exponent == 0 ? 2 << 20 : 1 << exponent
    }
}

extension MappingLedger {
    /// Takes in a call.
    public mutating func apply(_ call: MappingCall) {
        switch call.change {
        case .mapped(let address, let length, let granule):
            guard call.isRecorded else { return }
            map(
                pid: call.pid, address: address, length: length, time: call.time, stack: call.stack,
                granule: granule)
        case .unmapped(let address, let length):
            unmap(pid: call.pid, address: address, length: length, begun: call.begun)
        case .remapped(let address, let length, let newAddress, let newLength, let keepsOld):
            remap(
                pid: call.pid, address: address, length: length, newAddress: newAddress,
                newLength: newLength, keepsOld: keepsOld, begun: call.begun, time: call.time,
                stack: call.stack, recorded: call.isRecorded)
        }
    }

    /// What a process has mapped.
    public func sum(of pid: UInt32) -> OutstandingSum {
        let pieces = pieces(of: pid)
        var sum = OutstandingSum()
        sum.bytes = pieces.reduce(0) { $0 &+ $1.length }
        sum.count = UInt64(Set(pieces.map(\.mapping)).count)
        return sum
    }
}
