// SPDX-License-Identifier: Apache-2.0

/// How near two words are to each other, for who mistyped one.
enum Nearness {
    /// How many letters have to be put in, taken out, changed, or swapped with their neighbour.
    static func distance(_ first: String, _ second: String) -> Int {
        let first = Array(first), second = Array(second)
        var beforeLast: [Int] = []
        var last = Array(0...second.count)
        for row in 1..<(first.count + 1) {
            var current = [row]
            for column in 1..<(second.count + 1) {
                let same = first[row - 1] == second[column - 1]
                var cost = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (same ? 0 : 1))
                if row > 1, column > 1, first[row - 1] == second[column - 2], first[row - 2] == second[column - 1] {
                    cost = min(cost, beforeLast[column - 2] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[second.count]
    }

    /// The word of a list that was probably meant; nil: none is near. A third of the letters may be wrong.
    static func nearest(_ word: String, in words: [String]) -> String? {
        let word = word.lowercased()
        let near = words.map { (word: $0, distance: distance(word, $0)) }
            .filter { $0.distance <= max(1, min(word.count, $0.word.count) / 3) }
            .min { $0.distance < $1.distance }
        if let near { return near.word }
        // a part of a word, where it is one word's alone
        let parts = words.filter { word.count > 2 && ($0.contains(word) || (word.contains($0) && $0.count > 3)) }
        return parts.count == 1 ? parts[0] : nil
    }
}
