// SPDX-License-Identifier: Apache-2.0

/// What is said to the process that parses files, and what it answers: numbers and bytes, one after another.
package struct MessageWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func add(_ number: UInt64) { withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) } }

    package mutating func add(_ other: some Collection<UInt8>) {
        add(UInt64(other.count))
        bytes.append(contentsOf: other)
    }

    /// What fills the rest of the message.
    package mutating func append(_ rest: UnsafeRawBufferPointer) { bytes.append(contentsOf: rest) }

    package mutating func add(_ text: String) { add(text.utf8) }

    /// A number and the text, or another number and none.
    package mutating func add(_ text: String?) {
        add(text == nil ? 0 : 1)
        if let text { add(text) }
    }
}

/// Reads what was written so; nothing in it is taken for granted.
package struct MessageReader {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Is all of it read?
    package var isAtEnd: Bool { position == bytes.count }

    /// Nil where the message ends before.
    package mutating func number() -> UInt64? {
        guard bytes.count - position >= 8 else { return nil }
        defer { position += 8 }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt64.self) }
    }

    /// Nil where the message ends before, or there are more than `most`.
    package mutating func data(most: Int) -> ArraySlice<UInt8>? {
        guard let count = number().flatMap(Int.init(exactly:)), count <= most, count <= bytes.count - position else {
            return nil
        }
        defer { position += count }
        return bytes[position..<(position + count)]
    }

    /// The same as text; what is not UTF-8 in it is replaced.
    package mutating func text(most: Int) -> String? {
        data(most: most).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A text that may be missing; nil where the message makes no sense.
    package mutating func optionalText(most: Int) -> String?? {
        switch number() {
        case 0: .some(nil)
        case 1: text(most: most).map { .some($0) }
        default: nil
        }
    }

    /// What is left of it.
    package mutating func rest() -> ArraySlice<UInt8> {
        defer { position = bytes.count }
        return bytes[position...]
    }
}

/// Stands before each question and each answer.
struct MessageHeader {
    static let bytes = MemoryLayout<MessageHeader>.size
    static let magic = UInt64(0x3172_6573_7261_7073)  // "sparser1"

    var magic = Self.magic
    /// Which question; of an answer the same.
    var question: UInt64
    /// Bytes that follow.
    var length: UInt64
    /// Nanoseconds of CPU time that the answer may take.
    var allowed: UInt64 = 0

    /// Both together: to send them one by one would wake the other end for each.
    func before(_ message: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.bytes + message.count)
        withUnsafeBytes(of: self) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: message)
        return bytes
    }
}

/// What the process is asked for.
package enum ParserQuestion: UInt64, Sendable {
    case demangle = 1
    case unpack, openLines, scopes, closeLines, unwindTable, placement
}

/// A file was not read: how that is told.
extension SymbolError {
    /// Paths are the asker's to name.
    init?(_ message: inout MessageReader, path: String) {
        switch message.number() {
        case 1: self = .malformedELF(path: path, reason: message.text(most: 1 << 10) ?? "")
        case 2: self = .leftOut(path: path, reason: .time)
        case 3: self = .leftOut(path: path, reason: .memory)
        case 4: self = .noDWARF(reason: message.text(most: 1 << 13) ?? "")
        case 5: self = .noUnwindInformation(path: path)
        default: return nil
        }
    }

    func write(to message: inout MessageWriter) {
        switch self {
        case .leftOut(_, .time): message.add(2)
        case .leftOut: message.add(3)
        case .noDWARF(let reason):
            message.add(4)
            message.add(String(reason.prefix(1 << 11)))
        case .noUnwindInformation: message.add(5)
        case .malformedELF(_, let reason):
            message.add(1)
            message.add(String(reason.prefix(1 << 8)))
        default:
            message.add(1)
            message.add(String(description.prefix(1 << 8)))
        }
    }
}
