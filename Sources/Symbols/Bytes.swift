// SPDX-License-Identifier: Apache-2.0

/// The value of a hexadecimal digit, or nil.
@inline(__always)
package func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

extension [UInt8] {
    package mutating func append(copying bytes: Span<UInt8>) {
        // SAFETY: the buffer is only read, inside the call, while the span keeps it alive.
        bytes.withUnsafeBufferPointer { append(contentsOf: $0) }
    }
}

extension Span<UInt8> {
    package func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}

extension RandomAccessCollection {
    /// The first index at which `isAfter` holds, in a collection where it holds from some point to the end.
    package func partitionPoint(_ isAfter: (Element) -> Bool) -> Index {
        var low = startIndex
        var length = count
        while length > 0 {
            let half = length / 2
            let middle = index(low, offsetBy: half)
            if isAfter(self[middle]) {
                length = half
            } else {
                low = index(after: middle)
                length -= half + 1
            }
        }
        return low
    }
}

/// Reads numbers and separators off the front of a line.
package struct ByteScanner {
    private(set) var rest: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// A hexadecimal number of at most 16 digits.
    package mutating func hex() -> UInt64? {
        var value: UInt64 = 0
        var digits = 0
        while let byte = rest.first, let digit = hexDigit(byte) {
            guard digits < 16 else { return nil }
            value = value << 4 | UInt64(digit)
            digits += 1
            rest = rest.dropFirst()
        }
        return digits > 0 ? value : nil
    }

    /// A decimal number; nil too when it overflows.
    package mutating func decimal() -> UInt64? {
        var value: UInt64 = 0
        var digits = 0
        while let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
            digits += 1
            rest = rest.dropFirst()
        }
        return digits > 0 ? value : nil
    }

    /// Goes past `byte`; false when something else stands there.
    package mutating func skip(_ byte: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == byte.value else { return false }
        rest = rest.dropFirst()
        return true
    }

    package mutating func skipSpaces() {
        rest = rest.drop { $0 == UInt8(ascii: " ") }
    }

    /// The next `count` bytes.
    package mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
