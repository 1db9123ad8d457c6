// SPDX-License-Identifier: Apache-2.0

extension SchemaCommand {
    static let guide = Guide(
        examples: [
            .init("schema", "the types of records"),
            .init("schema cachestat", "the schema of one"),
            .init("schema memleak >memleak.schema.json", "to validate records with"),
        ],
        overhead: "None: it prints a text.",
        seeAlso: ["swiftmem(8)"])
}
