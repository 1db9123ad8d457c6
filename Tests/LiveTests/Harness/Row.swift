// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A line of output that is a JSON object, whose key `type` says which. Properties are the keys in camel case; a
/// key that is missing is an error unless the property is an optional.
protocol Row: Decodable, Sendable {
    static var type: String { get }
}

extension Row {
    /// Nil when the line is no JSON object of this type.
    /// - Throws: `HarnessError` when it is, and lacks a key or has one of another type.
    init?(line: String) throws {
        guard line.first == "{", line.contains("\"\(Self.type)\"") else { return nil }
        do {
            guard let row = try decoder.decode(TypedLine<Self>.self, from: Data(line.utf8)).row else { return nil }
            self = row
        } catch {
            throw HarnessError(description: "no \(Self.self): \(error) in \(line)")
        }
    }
}

private let decoder: JSONDecoder = {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
}()

private struct TypedLine<R: Row>: Decodable {
    let row: R?

    private enum Key: CodingKey { case type }

    init(from decoder: any Decoder) throws {
        let type = try decoder.container(keyedBy: Key.self).decode(String.self, forKey: .type)
        row = type == R.type ? try R(from: decoder) : nil
    }
}

/// A number that names something: a hexadecimal string.
struct Hex: Decodable, Hashable, Sendable {
    let value: Int

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard text.hasPrefix("0x"), let number = UInt64(text.dropFirst(2), radix: 16) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is not hexadecimal")
        }
        value = Int(truncatingIfNeeded: number)
    }
}

/// A value that can be unknown: its key is always there, and null says that nobody knows.
@propertyWrapper struct Known<Value: Decodable & Sendable>: Decodable, Sendable {
    let wrappedValue: Value?

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
    }
}
