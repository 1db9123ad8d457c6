// SPDX-License-Identifier: Apache-2.0

/// What a tool's programs write into their ring buffer, as a Swift value: an enum with a case a kind of record.
///
/// This is where the records' C layout ends: loops and reports see cases only.
public protocol TraceEvent: Sendable {
    /// Decodes one record of the ring buffer.
    ///
    /// - Parameter record: its bytes, valid within the call only.
    /// - Returns: nil for a record that is shorter than its kind's, or of a kind that this tool doesn't have.
    init?(_ record: RawSpan)
}

extension RawSpan {
    /// A C struct at the span's start; nil where the span is shorter.
    func record<Record: BitwiseCopyable>(_ type: Record.Type) -> Record? {
        guard byteCount >= MemoryLayout<Record>.size else { return nil }
        // SAFETY: long enough, and every bit pattern is a value of a C struct of numbers.
        return unsafeLoadUnaligned(as: type)
    }
}

/// C structs, one behind the other, as an iterator writes them; what is no whole one at the end is left out.
func records<Record: BitwiseCopyable>(_ bytes: [UInt8], as type: Record.Type) -> [Record] {
    let size = MemoryLayout<Record>.stride
    return bytes.withUnsafeBytes { bytes in
        (0..<bytes.count / size).map { index in
            // SAFETY: within the bytes, and every bit pattern is a value of a C struct of numbers.
            bytes.loadUnaligned(fromByteOffset: index * size, as: type)
        }
    }
}

/// The text in a fixed-size C array up to its NUL; bytes that are no UTF-8 become U+FFFD.
func fixedText<Tuple: BitwiseCopyable>(_ tuple: Tuple) -> String {
    withUnsafeBytes(of: tuple) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// The first `length` bytes of a fixed-size C array, never more than it has.
func fixedBytes<Tuple: BitwiseCopyable>(_ tuple: Tuple, _ length: some BinaryInteger) -> [UInt8] {
    withUnsafeBytes(of: tuple) { bytes in
        Array(bytes.prefix(max(0, Int(clamping: length))))
    }
}

/// The first `count` words of a fixed-size C array, never more than it has.
func fixedWords<Tuple: BitwiseCopyable>(_ tuple: Tuple, _ count: some BinaryInteger) -> [UInt64] {
    withUnsafeBytes(of: tuple) { bytes in
        let words = min(max(0, Int(clamping: count)), bytes.count / 8)
        return (0..<words).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
    }
}
