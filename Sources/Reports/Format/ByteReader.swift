// SPDX-License-Identifier: Apache-2.0

/// What a `ByteWriter` has written; nil where there is not so much.
struct ByteReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
        let size = MemoryLayout<Number>.size
        guard rest.count >= size else { return nil }
        var number: Number = 0
        for byte in rest.prefix(size).reversed() { number = Number(truncatingIfNeeded: number << 8) | Number(byte) }
        rest = rest.dropFirst(size)
        return number
    }

    mutating func known() -> UInt64?? { number(UInt64.self).map { $0 == .max ? nil : $0 } }

    mutating func text() -> String? {
        guard let count = number(UInt16.self), rest.count >= Int(count) else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return String(decoding: rest.prefix(Int(count)), as: UTF8.self)
    }

    /// A number of seven bits a byte, ten of them at most.
    mutating func short() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            let bits = UInt64(byte & 0x7f)
            guard shift < 63 || bits <= 1 else { return nil }
            number |= bits << shift
            if byte < 0x80 { return number }
        }
        return nil
    }

    mutating func longText() -> String? {
        guard let count = short(), count <= UInt64(rest.count) else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return String(decoding: rest.prefix(Int(count)), as: UTF8.self)
    }

    /// How many things follow, of a byte each at least: no more than there can be.
    mutating func count() -> Int? {
        guard let count = short(), count <= UInt64(rest.count) else { return nil }
        return Int(count)
    }
}
