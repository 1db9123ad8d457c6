// SPDX-License-Identifier: Apache-2.0

/// One JSON object on one line, its keys in the order they are added.
///
/// The order is part of the schema's readability and Foundation's encoder keeps
/// none; numbers are written exactly, a missing value is `null`, never 0.
public struct JSONLine {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]
    private var isEmpty = true

    /// Begins an object of a `type`, which every object of the schema has.
    public init(type: String) { add("type", type) }

    /// An object without a `type`, to be nested.
    public init() {}

    /// The object's text without a newline.
    public consuming func finish() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The object's text, for tests and messages.
    public consuming func text() -> String { String(decoding: finish(), as: UTF8.self) }

    public mutating func add(_ key: String, _ value: String?) {
        begin(key)
        if let value { quote(value) } else { null() }
    }

    public mutating func add(_ key: String, _ value: (some BinaryInteger)?) {
        begin(key)
        if let value { bytes += String(value).utf8 } else { null() }
    }

    /// A number that names something (an address, an id) as a hexadecimal string: many readers of JSON keep 53 bits.
    public mutating func add(_ key: String, hex value: UInt64?) {
        add(key, value.map { "0x" + String($0, radix: 16) })
    }

    /// A number that a caller is free to choose: a hexadecimal string where 53 bits don't hold it.
    public mutating func add(_ key: String, argument value: UInt64?) {
        guard let value, value >= 1 << 53 else { return add(key, value) }
        add(key, hex: value)
    }

    public mutating func add(_ key: String, _ value: Bool?) {
        begin(key)
        if let value { bytes += (value ? "true" : "false").utf8 } else { null() }
    }

    /// Not-a-number and infinities have no JSON: they become null.
    public mutating func add(_ key: String, _ value: Double?) {
        begin(key)
        if let value, value.isFinite { bytes += "\(value)".utf8 } else { null() }
    }

    public mutating func add(_ key: String, _ values: [String]?) {
        begin(key)
        guard let values else { return null() }
        array(values) { line, value in line.quote(value) }
    }

    public mutating func add(_ key: String, _ value: consuming JSONLine) {
        begin(key)
        bytes += value.finish()
    }

    public mutating func add(_ key: String, _ values: [JSONLine]?) {
        begin(key)
        guard let values else { return null() }
        array(values) { line, value in line.bytes += value.finish() }
    }

    public mutating func add(_ key: String, _ values: [some BinaryInteger]) {
        begin(key)
        array(values) { line, value in line.bytes += String(value).utf8 }
    }

    public mutating func add(_ key: String, _ values: [[Int]]) {
        begin(key)
        array(values) { line, values in line.array(values) { line, value in line.bytes += String(value).utf8 } }
    }

    private mutating func array<Element>(
        _ values: [Element], _ write: (inout JSONLine, Element) -> Void
    ) {
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            write(&self, value)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func begin(_ key: String) {
        if !isEmpty { bytes.append(UInt8(ascii: ",")) }
        isEmpty = false
        quote(key)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func null() { bytes += "null".utf8 }

    private mutating func escape(_ unit: UInt16) {
        bytes += "\\u\(hex(UInt8(unit >> 8)))\(hex(UInt8(truncatingIfNeeded: unit)))".utf8
    }

    /// A terminal or an editor that shows it obeys nothing in it: what `Printable.text` spells out is escaped here too.
    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": bytes += "\\\"".utf8
            case "\\": bytes += "\\\\".utf8
            case "\n": bytes += "\\n".utf8
            case "\t": bytes += "\\t".utf8
            case "\r": bytes += "\\r".utf8
            case " "..."~": bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            case _ where Printable.isPlain(scalar): bytes += String(scalar).utf8
            default: for unit in UTF16.encode(scalar) ?? .init() { escape(unit) }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// Two hexadecimal digits.
func hex(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return byte < 16 ? "0" + digits : digits
}
