// SPDX-License-Identifier: Apache-2.0

/// What a rung's programs read that only another ladder's note: without those its numbers are wrong, however well its own
/// hooks work.
public struct Reliance: Hashable, Sendable {
    /// The other ladder's id; it stands before this rung's in the tool's list.
    public let ladder: String
    /// Those rungs of it that note what is read.
    public let rungs: [String]
    /// What that is, in words.
    public let what: String

    /// - Parameters:
    ///   - rungs: of one ladder; any of them will do.
    ///   - what: is read of them.
    public init<Rungs: Ladder>(on rungs: Rungs..., what: String) {
        self.init(onAny: rungs, what: what)
    }

    /// - Parameters:
    ///   - rungs: of one ladder; any of them will do.
    ///   - what: is read of them.
    public init<Rungs: Ladder>(onAny rungs: [Rungs], what: String) {
        ladder = Rungs.id
        self.rungs = rungs.map(\.rawValue)
        self.what = what
    }

    /// Why the rung can't be used beside these choices; nil: it can.
    func obstacle(_ choices: [Choice]) -> String? {
        let choice = choices.first { $0.ladder.id == ladder }
        if let rung = choice?.rung, rungs.contains(rung.id) { return nil }
        return "\(what) is told by \(ladder)/\(rungs.joined(separator: " or "))"
            + (choice?.rung.map { ", not by \($0.id)" } ?? ", which is not used")
    }
}
