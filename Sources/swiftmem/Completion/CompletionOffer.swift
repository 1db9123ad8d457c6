// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// Values that a shell offers where one is wanted, in the words of that shell.
struct CompletionOffer: Equatable {
    struct Candidate: Equatable {
        let value: String
        /// What stands beside it, e.g. a process's name.
        var hint: String?
    }

    /// No more than these: a list that nobody reads holds up who typed TAB.
    static let limit = 2000

    let candidates: [Candidate]

    init(_ candidates: [Candidate]) { self.candidates = candidates }

    /// The lines that the shell's script wants of the parser.
    ///
    /// - Parameters:
    ///   - prefix: what is typed of the word already.
    ///   - bash: how bash completes (its `COMP_TYPE`), where its script says so. It takes no hints: where there are several
    ///     values, and it will list them rather than put one in, they stand in the values' place.
    func lines(for shell: CompletionShell?, prefix: String, bash: String? = nil) -> [String] {
        let matching = candidates.filter { Self.isPlain($0.value) && $0.value.hasPrefix(prefix) }.prefix(Self.limit)
        let separator: String? =
            switch shell {
            case CompletionShell.zsh: ":"
            case CompletionShell.fish: "\t"
            case CompletionShell.bash where matching.count > 1 && Self.listing.contains(bash ?? ""): "  "
            default: nil
            }
        return matching.map { candidate in
            guard let separator, let hint = candidate.hint else { return candidate.value }
            return candidate.value + separator + Self.plain(hint)
        }
    }

    /// bash's ways to complete that put no whole value in where there are several: TAB, and the lists behind it.
    private static let listing: Set<String> = ["9", "33", "63", "64"]

    /// May a shell have it? Names of processes and cgroups are others' choice, and bash expands what it is offered: a command
    /// in one would run.
    static func isPlain(_ text: String) -> Bool { !text.isEmpty && text.unicodeScalars.allSatisfy(isPlain) }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "/", "@", "%", "+", ",", "-": true
        default: false
        }
    }

    private static func plain(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isPlain($0) ? $0 : "_" }))
    }
}
