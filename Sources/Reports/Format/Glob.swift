// SPDX-License-Identifier: Apache-2.0

/// A shell's pattern: `*` any text, `?` one character, `[a-z]` and `[!a-z]` one of a
/// set; `*` goes over slashes, as in `find -path`.
public struct Glob: Hashable, Sendable {
    private let pattern: [Character]

    public init(_ pattern: String) { self.pattern = Array(pattern) }

    public func matches(_ text: String) -> Bool {
        let text = Array(text)
        var at = 0, in_ = 0
        // where to go on after the last star: linear in both
        var star: (pattern: Int, text: Int)?
        while in_ < text.count {
            if at < pattern.count, pattern[at] == "*" {
                star = (at + 1, in_)
                at += 1
            } else if let next = step(at, text[in_]) {
                at = next
                in_ += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                at = last.pattern
                in_ = last.text + 1
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == "*" }
    }

    /// Matches one character; where the pattern goes on, nil where it does not match.
    private func step(_ at: Int, _ character: Character) -> Int? {
        guard at < pattern.count else { return nil }
        switch pattern[at] {
        case "?": return at + 1
        case "\\" where at + 1 < pattern.count:
            return pattern[at + 1] == character ? at + 2 : nil
        case "[":
            guard let end = pattern[(at + 1)...].dropFirst().firstIndex(of: "]") else {
                return character == "[" ? at + 1 : nil
            }
            var set = pattern[(at + 1)..<end]
            let negated = set.first == "!" || set.first == "^"
            if negated { set = set.dropFirst() }
            return contains(Array(set), character) != negated ? end + 1 : nil
        default: return pattern[at] == character ? at + 1 : nil
        }
    }

    private func contains(_ set: [Character], _ character: Character) -> Bool {
        var index = 0
        while index < set.count {
            if index + 2 < set.count, set[index + 1] == "-" {
                if set[index] <= character && character <= set[index + 2] { return true }
                index += 3
            } else {
                if set[index] == character { return true }
                index += 1
            }
        }
        return false
    }
}
