// SPDX-License-Identifier: Apache-2.0
import Foundation
import SchemaSupport
import Testing

@testable import Reports

@Suite struct Schemas {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A part of a schema by the names on the way to it.
    private func part(_ type: String, _ path: String...) throws -> [String: Any] {
        let schema = try #require(RecordSchema.all.first { $0.type == type })
        var part = try JSONSerialization.jsonObject(with: Data(schema.text.utf8)) as? [String: Any]
        for name in path { part = part?[name] as? [String: Any] }
        return try #require(part, "\(type): \(path)")
    }

    private func choices(_ type: String, _ key: String) throws -> [String] {
        (try part(type, "properties", key)["enum"] as? [Any] ?? []).compactMap { $0 as? String }
    }

    @Test("the embedded schemas are those of Docs/schema, each with its type")
    func embedded() throws {
        let directory = Self.root.appendingPathComponent("Docs/schema")
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".json") }
        #expect(files.map { String($0.dropLast(5)) }.sorted() == RecordSchema.all.map(\.type).sorted())
        for schema in RecordSchema.all {
            let text = try String(contentsOf: directory.appendingPathComponent("\(schema.type).json"), encoding: .utf8)
            #expect(schema.text + "\n" == text)
            #expect(try part(schema.type, "properties", "type")["const"] as? String == schema.type)
        }
    }

    @Test("each type that the sources print has a schema, and each schema a type")
    func types() throws {
        var types: Set<String> = []
        let sources = Self.root.appendingPathComponent("Sources")
        for case let file as URL in try #require(
            FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            types.formUnion(text.matches(of: /JSONLine\(type: "([a-z_]+)"\)/).map { String($0.1) })
        }
        #expect(types.sorted() == RecordSchema.all.map(\.type).sorted())
    }

    @Test("the schemas are of the keywords that the validator knows", arguments: RecordSchema.all)
    func known(schema: RecordSchema) throws {
        _ = try SchemaValidator(schema.text)
    }

    @Test("words that JSON has are the words of the schema")
    func words() throws {
        let causes = try part("memleak_summary", "$defs", "losses", "properties")
        #expect(Set(causes.keys) == Set(Losses.causes.map(\.key)))
        #expect(try choices("memleak", "stack_end") == StackEnd.allCases.map(\.rawValue))
        #expect(try choices("memleak", "kind") == KernelMemoryKind.allCases.map(\.rawValue))
        #expect(try choices("shmsnoop", "call") == ShmCall.Kind.allCases.map(\.name))
        #expect(try choices("cachetop", "by") == CacheTopView.allCases.map(\.rawValue))
        #expect(try choices("oomkill", "constraint") == (0...3).compactMap { OOMConstraint(rawValue: $0)?.name })
    }
}

@Suite struct SchemaValidation {
    private let schema = """
        {"type": "object", "properties": {
          "number": {"type": ["integer", "null"], "minimum": 0}, "share": {"type": "number", "maximum": 1},
          "word": {"enum": ["a", null]}, "hex": {"type": "string", "pattern": "^0x[0-9a-f]+$"},
          "time": {"type": "string", "format": "date-time"}, "flag": {"type": "boolean"},
          "list": {"type": "array", "items": {"$ref": "#/$defs/one"}}, "any": {"additionalProperties": {"type": "null"}}
         }, "required": ["number"], "additionalProperties": false,
         "$defs": {"one": {"type": "object", "properties": {"x": {"const": "y"}}, "required": ["x"]}}}
        """

    private func findings(_ record: String) throws -> [String] {
        let object = try JSONSerialization.jsonObject(with: Data(record.utf8)) as? [String: Any]
        return try SchemaValidator(schema).findings(in: try #require(object))
    }

    @Test(
        "records that the schema allows",
        arguments: [
            #"{"number":0}"#, #"{"number":null}"#, #"{"number":9007199254740991,"share":0.5}"#,
            #"{"number":1,"share":1,"word":null,"hex":"0x1f","flag":true}"#,
            #"{"number":1,"time":"2026-01-02T03:04:05.000000006Z","list":[{"x":"y"}],"any":{"z":null}}"#,
        ])
    func allowed(record: String) throws { #expect(try findings(record) == []) }

    @Test(
        "records that it does not allow: each has one finding",
        arguments: [
            #"{}"#, #"{"number":-1}"#, #"{"number":1.5}"#, #"{"number":"1"}"#, #"{"number":true}"#,
            #"{"number":9007199254740992}"#, #"{"number":1,"share":1.01}"#, #"{"number":1,"share":null}"#,
            #"{"number":1,"word":"b"}"#, #"{"number":1,"hex":"1f"}"#, #"{"number":1,"hex":"0x1F"}"#,
            #"{"number":1,"time":"2026-01-02 03:04:05"}"#, #"{"number":1,"flag":1}"#, #"{"number":1,"flag":"true"}"#,
            #"{"number":1,"list":{}}"#, #"{"number":1,"list":[{"x":"z"}]}"#, #"{"number":1,"list":[{}]}"#,
            #"{"number":1,"any":{"z":1}}"#, #"{"number":1,"more":1}"#,
        ])
    func refused(record: String) throws { #expect(try findings(record).count == 1) }

    @Test(
        "schemas with what is not known are refused, wherever it stands",
        arguments: [
            #"[]"#, #"{"anyOf": []}"#, #"{"properties": {"a": {"multipleOf": 2}}}"#,
            #"{"items": {"uniqueItems": true}}"#, #"{"additionalProperties": {"if": {}}}"#,
            #"{"$defs": {"a": {"not": {}}}}"#, #"{"$ref": "other.json"}"#, #"{"format": "email"}"#,
            #"{"pattern": "("}"#,
        ])
    func unknown(schema: String) {
        #expect(throws: SchemaError.self) { try SchemaValidator(schema) }
    }

    @Test(
        "lines that are no record",
        arguments: ["", "{", "[]", "{}", #"{"type":1}"#, #"{"type":"no_such"}"#, #"{"type":"oomkill_summary"}"#])
    func lines(line: String) { #expect(!RecordLine.findings(in: line).isEmpty) }
}
