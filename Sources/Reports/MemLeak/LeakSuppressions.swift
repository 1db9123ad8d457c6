// SPDX-License-Identifier: Apache-2.0

/// Stacks that are known and not to be reported, in LeakSanitizer's syntax: a line `leak:PATTERN` each, and comments
/// that begin with `#`.
///
/// A pattern fits a stack where it fits any frame's function, source file or module: anywhere in the name, `*` any text,
/// `^` and `$` its begin and end.
public struct LeakSuppressions: Hashable, Sendable {
    /// A line that can't be read.
    public struct Malformed: Error, Hashable {
        /// From 1 on.
        public let line: Int
        public let text: String
    }

    /// As they stand in the file.
    public let patterns: [String]

    /// - Throws: `Malformed` at the first line that is neither a pattern, nor a comment, nor empty.
    public init(_ text: String) throws(Malformed) {
        var patterns: [String] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = Self.trimmed(line)
            if words.isEmpty || words.hasPrefix("#") { continue }
            guard words.hasPrefix("leak:"), words.utf8.count > 5 else {
                throw Malformed(line: index + 1, text: String(words))
            }
            patterns.append(String(words.dropFirst(5)))
        }
        self.patterns = patterns
    }

    /// Does a pattern fit it?
    public func matches(_ frames: [MemLeakFrame]) -> Bool {
        patterns.contains { pattern in
            frames.contains { frame in
                [frame.symbol, frame.file, frame.module].contains { $0.map { Self.fits(pattern, $0) } ?? false }
            }
        }
    }

    /// LeakSanitizer's match of a pattern.
    static func fits(_ pattern: String, _ text: String) -> Bool {
        var glob = pattern[...]
        let isAnchored = glob.hasPrefix("^")
        if isAnchored { glob.removeFirst() }
        let isWhole = glob.hasSuffix("$")
        if isWhole { glob.removeLast() }
        // only the star is one of LeakSanitizer's: what else a shell knows is a letter
        let literal = glob.map { "?[]\\".contains($0) ? "\\\($0)" : String($0) }.joined()
        return Glob((isAnchored ? "" : "*") + literal + (isWhole ? "" : "*")).matches(text)
    }

    private static func trimmed(_ line: Substring) -> Substring {
        var line = line
        while let last = line.last, last.isWhitespace { line.removeLast() }
        while let first = line.first, first.isWhitespace { line.removeFirst() }
        return line
    }
}
