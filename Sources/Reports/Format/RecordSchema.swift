// SPDX-License-Identifier: Apache-2.0
internal import CSchema

/// The JSON Schema (2020-12) of one type of record: Docs/schema, embedded.
public struct RecordSchema: Hashable, Sendable {
    /// What the records have as `type`.
    public let type: String
    /// The schema, without the newline at its end.
    public let text: String

    /// All, in the order of Sources/CSchema/schema.c.
    public static let all: [RecordSchema] = {
        var schemas: [RecordSchema] = []
        while let schema = record_schema_at(schemas.count)?.pointee {
            // SAFETY: name and text are constants of the binary, the text `size` bytes long.
            let text = UnsafeBufferPointer(start: schema.text, count: schema.size)
            schemas.append(
                RecordSchema(
                    type: String(cString: schema.type),
                    text: String(decoding: text.dropLast(), as: UTF8.self)))
        }
        return schemas
    }()
}
