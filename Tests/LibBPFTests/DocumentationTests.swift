// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The library's pages show what is compiled and run: code of the examples, word for word.
@Suite struct Documentation {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let catalogue = root.appendingPathComponent("Sources/LibBPF/LibBPF.docc")

    static let pages: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(atPath: catalogue.path)
        return (names ?? []).filter { $0.hasSuffix(".md") }.sorted()
    }()

    private static let examples: [String] = {
        let files = FileManager.default.enumerator(atPath: root.appendingPathComponent("Examples").path)
        let paths = (files?.allObjects ?? []).compactMap { $0 as? String }
        return paths.filter { $0.hasSuffix(".swift") || $0.hasSuffix(".c") }.compactMap {
            try? String(contentsOf: root.appendingPathComponent("Examples").appendingPathComponent($0), encoding: .utf8)
        }
    }()

    /// The fenced blocks of a page that name a language.
    private func samples(_ page: String) throws -> [String] {
        let text = try String(contentsOf: Self.catalogue.appendingPathComponent(page), encoding: .utf8)
        // fenced blocks are every second part; a drawing's fence names no language
        let parts = text.components(separatedBy: "\n```")
        let blocks = parts.indices.filter { !$0.isMultiple(of: 2) }.map { parts[$0] }
        return blocks.filter { !$0.hasPrefix("\n") }.map { block in
            block.drop { $0 != "\n" }.dropFirst() + "\n"
        }.map(String.init)
    }

    @Test("every page has samples, and each is an example's text", arguments: pages)
    func verbatim(page: String) throws {
        let samples = try samples(page)
        #expect(!samples.isEmpty)
        for sample in samples {
            #expect(Self.examples.contains { $0.contains(sample) }, "\(page): no example has\n\(sample)")
        }
    }

    @Test("there are pages and examples to compare")
    func found() {
        #expect(Self.pages.count == 6)
        #expect(Self.examples.count >= 10)
    }
}
