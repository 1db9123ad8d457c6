// SPDX-License-Identifier: Apache-2.0

/// Fowler, Noll and Vo's hash of 64 bits, of which every machine makes the same. As a checksum it tells a torn write and
/// any single byte that is another; it is not meant against forgers.
struct FNV1a: Hashable, Sendable {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }

    mutating func add(_ bytes: some Sequence<UInt8>) { for byte in bytes { add(byte) } }

    mutating func add(_ number: UInt64) { for shift in 0..<8 { add(UInt8(truncatingIfNeeded: number >> (8 * shift))) } }

    /// A text, and that it ends.
    mutating func add(_ text: String) {
        add(text.utf8)
        add(UInt8.max)
    }
}
