// SPDX-License-Identifier: Apache-2.0

/// What mremap moves, in bytes.
public struct GrowthMove: Hashable, Sendable {
    public let space: GrowthSpaceID
    /// The serial under which the programs have put aside what was noted of the pages, until it is taken.
    public let parked: UInt32
    public let from: UInt64
    public let length: UInt64
    public let newLength: UInt64
    /// The room that the kernel has found, which may be larger than what is wanted.
    public let room: UInt64
    public let roomLength: UInt64

    public init(
        space: GrowthSpaceID, parked: UInt32, from: UInt64, length: UInt64, newLength: UInt64, room: UInt64,
        roomLength: UInt64
    ) {
        (self.space, self.parked, self.from) = (space, parked, from)
        (self.length, self.newLength) = (length, newLength)
        (self.room, self.roomLength) = (room, roomLength)
    }

    /// Where the pages may come to lie, most likely first. Since Linux 6.7 room for what may have huge pages is larger by
    /// one of them, within which the mapping keeps its place in a huge page; where the room has that place already, the
    /// upper end is taken if mappings grow down (__thp_get_unmapped_area(), mm/huge_memory.c).
    public func targets(pageBytes: UInt64) -> [UInt64] {
        let wanted = (newLength &+ pageBytes &- 1) / pageBytes &* pageBytes
        guard roomLength >= wanted else { return [] }
        let spare = roomLength - wanted
        if spare == 0 { return [room] }
        guard spare.nonzeroBitCount == 1 else { return [] }
        let offset = (from &- room) & (spare - 1)
        return offset == 0 ? [room &+ spare, room] : [room &+ offset]
    }
}
