// SPDX-License-Identifier: Apache-2.0

/// A key, or several bytes that a terminal sends for one.
public enum TerminalKey: Hashable, Sendable {
    case text(String)
    case enter, escape, backspace
    case up, down, left, right, pageUp, pageDown, home, end
    /// F1.
    case help

    /// Cuts what a terminal sent into keys; what means nothing here is left out.
    public static func keys(_ bytes: [UInt8]) -> [TerminalKey] {
        var keys: [TerminalKey] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            switch byte {
            case 0x1b:
                // ESC [ or ESC O, parameters, a final byte
                guard let next = rest.first, next == UInt8(ascii: "[") || next == UInt8(ascii: "O")
                else {
                    keys.append(.escape)
                    continue
                }
                rest.removeFirst()
                // Linux's console sends F1 as ESC [ [ A
                if next == UInt8(ascii: "["), rest.starts(with: Array("[A".utf8)) {
                    rest = rest.dropFirst(2)
                    keys.append(.help)
                    continue
                }
                let parameters = rest.prefix { $0 < 0x40 }
                rest = rest.dropFirst(parameters.count)
                guard let final = rest.popFirst() else { continue }
                if let key = special(final, String(decoding: parameters, as: UTF8.self)) {
                    keys.append(key)
                }
            case 0x0d, 0x0a: keys.append(.enter)
            case 0x7f, 0x08: keys.append(.backspace)
            case 0..<0x20: continue
            case 0..<0x80: keys.append(.text(String(UnicodeScalar(byte))))
            default:
                let more = rest.prefix { $0 & 0xc0 == 0x80 }
                rest = rest.dropFirst(more.count)
                let text = String(decoding: [byte] + more, as: UTF8.self)
                if text.count == 1, !text.contains("\u{fffd}") { keys.append(.text(text)) }
            }
        }
        return keys
    }

    private static func special(_ final: UInt8, _ parameters: String) -> TerminalKey? {
        switch (final, parameters) {
        case (UInt8(ascii: "A"), _): .up
        case (UInt8(ascii: "B"), _): .down
        case (UInt8(ascii: "C"), _): .right
        case (UInt8(ascii: "D"), _): .left
        case (UInt8(ascii: "H"), _), (UInt8(ascii: "~"), "1"): .home
        case (UInt8(ascii: "F"), _), (UInt8(ascii: "~"), "4"): .end
        // ESC O P, or ESC [ 11 ~ of older terminals
        case (UInt8(ascii: "P"), _), (UInt8(ascii: "~"), "11"): .help
        case (UInt8(ascii: "~"), "5"): .pageUp
        case (UInt8(ascii: "~"), "6"): .pageDown
        default: nil
        }
    }
}
