// SPDX-License-Identifier: Apache-2.0
import Foundation
import Reports

/// Holds records against one JSON Schema.
///
/// It knows the keywords that Docs/schema uses and refuses a schema with any other: none is passed over in silence.
/// Scripts/lint-schema holds the same records against the same schemas by another implementation.
public struct SchemaValidator: Sendable {
    private let root: SchemaNode
    private let definitions: [String: SchemaNode]

    /// - Throws: `SchemaError` where the text is no schema of the keywords that are known.
    public init(_ text: String) throws(SchemaError) {
        guard let schema = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] else {
            throw SchemaError(description: "not a JSON object")
        }
        var definitions: [String: SchemaNode] = [:]
        for (name, definition) in schema["$defs"] as? [String: Any] ?? [:] {
            definitions[name] = try SchemaNode(definition, at: "$defs/\(name)")
        }
        self.definitions = definitions
        root = try SchemaNode(schema, at: "")
    }

    /// What is wrong with a record, each with the place; empty: nothing.
    public func findings(in record: [String: Any]) -> [String] {
        var findings: [String] = []
        root.check(record, at: "", definitions, &findings)
        return findings
    }
}

/// Why a schema can't be used.
public struct SchemaError: Error, CustomStringConvertible {
    public let description: String
}

/// A line of JSON that the command printed, held against the schema of its type.
public enum RecordLine {
    /// By type.
    static let validators: [String: Result<SchemaValidator, SchemaError>] = Dictionary(
        uniqueKeysWithValues: RecordSchema.all.map { schema in
            (schema.type, Result { () throws(SchemaError) in try SchemaValidator(schema.text) })
        })

    /// Is the line a record of a type that has a schema?
    public static func hasSchema(_ line: some StringProtocol) -> Bool {
        let record = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        return (record?["type"] as? String).map { validators[$0] != nil } ?? false
    }

    /// What is wrong with the line; empty: it is a record as its schema says.
    public static func findings(in line: some StringProtocol) -> [String] {
        guard let record = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any] else {
            return ["not a JSON object: \(line)"]
        }
        guard let type = record["type"] as? String else { return ["no type: \(line)"] }
        switch validators[type] {
        case .success(let validator): return validator.findings(in: record).map { "\(type)\($0): \(line)" }
        case .failure(let error): return ["schema of \(type): \(error)"]
        case nil: return ["no schema for type \(type): \(line)"]
        }
    }
}
