// SPDX-License-Identifier: Apache-2.0

/// Numbers and texts as bytes, the lowest first.
struct ByteWriter {
    var bytes: [UInt8] = []

    mutating func add(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    /// Cut at 65 535 bytes.
    mutating func add(_ text: String) {
        let text = Array(text.utf8.prefix(Int(UInt16.max)))
        add(UInt16(text.count))
        bytes += text
    }

    /// nil is the largest number, which no size reaches.
    mutating func add(_ number: UInt64?) { add(number ?? UInt64.max) }

    /// A number in as few bytes as it needs, seven bits each.
    mutating func add(short number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A text of any length.
    mutating func add(long text: String) {
        add(short: UInt64(text.utf8.count))
        bytes += text.utf8
    }
}
