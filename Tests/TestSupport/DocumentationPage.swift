// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A page of Docs, its line breaks as blanks.
package struct DocumentationPage {
    private let text: String

    /// - Parameter name: below Docs.
    package init(_ name: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("Docs/\(name)"), encoding: .utf8)
        text = page.replacing("\n", with: " ")
    }

    /// Does it have these words?
    package func says(_ words: String) -> Bool { text.contains(words) }
}
