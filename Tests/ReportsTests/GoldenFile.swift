// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// A file of Golden: the lines that a rendering must have.
///
/// `SWIFTMEM_GOLDEN=write` writes the files anew.
struct GoldenFile {
    private static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "Golden")

    private let url: URL

    init(_ name: String) { url = Self.directory.appendingPathComponent(name) }

    /// Compares lines with the file's.
    func expect(_ lines: [String], at location: SourceLocation = #_sourceLocation) throws {
        if ProcessInfo.processInfo.environment["SWIFTMEM_GOLDEN"] == "write" {
            try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: url)
        }
        let text = try String(contentsOf: url, encoding: .utf8)
        let expected = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        #expect(lines == expected, "\(url.lastPathComponent)", sourceLocation: location)
    }
}
