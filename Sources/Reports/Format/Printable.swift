// SPDX-License-Identifier: Apache-2.0

/// Names that come from outside (comm, paths, command lines), made fit for a terminal.
public enum Printable {
    /// The text with every control character, escape sequence and direction override
    /// spelt out: `\x1b`, `\n`, `\u{202e}`. What is printable stays as it is.
    public static func text(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control where scalar == "\n": result += "\\n"
            case .control where scalar == "\t": result += "\\t"
            case .control: result += "\\x" + hex(UInt8(truncatingIfNeeded: scalar.value))
            case .format, .surrogate, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// The text in a fixed-size C array up to its NUL; bytes that are no UTF-8 are replaced.
public func fixedText<Tuple>(_ tuple: Tuple) -> String {
    withUnsafeBytes(of: tuple) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// The first `length` bytes of a fixed-size C array.
public func fixedBytes<Tuple>(_ tuple: Tuple, _ length: some BinaryInteger) -> [UInt8] {
    withUnsafeBytes(of: tuple) { bytes in
        Array(bytes.prefix(max(0, Int(clamping: length))))
    }
}
