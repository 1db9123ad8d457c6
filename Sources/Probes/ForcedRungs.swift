// SPDX-License-Identifier: Apache-2.0

/// Rungs that are asked for instead of chosen: `TOOL.LADDER=RUNG`, or `TOOL=RUNG` for every ladder of the tool that
/// has such a rung; several with commas. RUNG is a rung's id; or a mechanism, or the beginning of several ids before
/// a `_`: then of those the best that the kernel allows. `none` asks for no rung of a ladder.
public struct ForcedRungs: Hashable, Sendable {
    private struct Item: Hashable, Sendable {
        let tool: String
        let ladder: String?
        let rung: String
    }

    private var items: [Item] = []

    public init() {}

    /// nil where the text is not of that form.
    public init?(_ text: String) {
        for item in text.split(separator: ",") {
            let parts = item.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
            let names = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
            items.append(
                Item(
                    tool: String(names[0]), ladder: names.count > 1 ? String(names[1]) : nil, rung: String(parts[1])))
        }
    }

    /// What is wrong with the names, for a user, with those there are; nil where each names a rung.
    ///
    /// - Parameter sets: all that there is to be named.
    public func mistake(in sets: [ProbeSet]) -> String? {
        for item in items {
            let ladders = sets.filter { $0.tool == item.tool }.flatMap(\.ladders)
            if ladders.isEmpty {
                return "there is no tool \(item.tool); there are \(list(sets.map(\.tool)))"
            }
            guard let name = item.ladder else {
                if ladders.allSatisfy({ $0.rungs(named: item.rung).isEmpty }) {
                    return "\(item.tool) has no rung \(item.rung); it has "
                        + list(ladders.flatMap { $0.rungs.flatMap { [$0.mechanism.rawValue, $0.id] } }.sorted())
                }
                continue
            }
            let named = ladders.filter { $0.id == name }
            if named.isEmpty {
                return "\(item.tool) has no ladder \(name); it has \(list(ladders.map(\.id)))"
            }
            if item.rung != Self.nothing && named.allSatisfy({ $0.rungs(named: item.rung).isEmpty }) {
                return "\(item.tool).\(name) has no rung \(item.rung); it has "
                    + list(named.flatMap { $0.rungs.map(\.id) })
            }
        }
        return nil
    }

    /// Asks for no rung of a ladder: how a tool does without it is tested so.
    private static let nothing = "none"

    private func list(_ names: [String]) -> String {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }.joined(separator: ", ")
    }

    /// What is asked for of a ladder; nil: nothing, it is to be resolved. What names the ladder goes before what names
    /// the tool alone.
    func wanted(tool: String, ladder: AnyLadder) -> Wanted? {
        let own = items.last { $0.tool == tool && $0.ladder == ladder.id }
        if let own { return Wanted(name: own.rung, ids: Set(ladder.rungs(named: own.rung).map(\.id))) }
        guard let general = items.last(where: { $0.tool == tool && $0.ladder == nil }) else { return nil }
        let ids = Set(ladder.rungs(named: general.rung).map(\.id))
        return ids.isEmpty ? nil : Wanted(name: general.rung, ids: ids)
    }

    /// A name, and the rungs of a ladder that it stands for.
    struct Wanted {
        let name: String
        let ids: Set<String>
    }
}
