// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Reports

/// The JSON Schemas of the records that `--json` prints.
struct SchemaCommand: Guided {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "The JSON Schema of a type of record that --json prints.",
        discussion: """
            Without a type it lists them. The schemas are JSON Schema 2020-12; `x-unit`, `x-null`, \
            `x-null-kernels` and `x-when` say a key's unit, what null means, the kernels it is null \
            on, and when the key is there at all.
            """)

    @Argument(help: "The records' type, e.g. oomkill_end.", completion: .list(RecordSchema.all.map(\.type)))
    var type: String?

    func run() throws {
        var output = Output()
        if let type {
            guard let schema = RecordSchema.all.first(where: { $0.type == type }) else {
                let known = RecordSchema.all.map(\.type).joined(separator: ", ")
                throw Failure.badValue("schema: no record has the type \(Printable.text(type)); there are \(known)")
            }
            output.print(schema.text)
        } else {
            for schema in RecordSchema.all { output.print(schema.type) }
        }
        _ = try output.flush()
    }
}
