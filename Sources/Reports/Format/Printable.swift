// SPDX-License-Identifier: Apache-2.0

/// Names that come from outside (comm, paths, command lines), made fit for a terminal.
public enum Printable {
    /// Does it do nothing but show itself? Not so control characters, direction overrides and what nobody knows.
    static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse: false
        default: true
        }
    }

    /// The text with every control character, escape sequence and direction override
    /// spelt out: `\x1b`, `\n`, `\u{202e}`. What is printable stays as it is.
    public static func text(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control where scalar == "\n": result += "\\n"
            case .control where scalar == "\t": result += "\\t"
            case .control: result += "\\x" + hex(UInt8(truncatingIfNeeded: scalar.value))
            case _ where isPlain(scalar): result.unicodeScalars.append(scalar)
            default: result += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return result
    }
}
