// SPDX-License-Identifier: Apache-2.0
internal import SystemPackage

/// Gathers functions of several tables; `finish` sorts them and drops aliases.
final class ELFSymbolsBuilder {
    private struct Candidate {
        var address: UInt64
        var size: UInt32
        /// From the address to the end of its section.
        var room: UInt32
        var name: ELFSymbols.NamePlace
        var binding: RawFunction.Binding
    }

    /// Room is asked for so many candidates at a time; sorting takes half as much again.
    private static let block = 4096
    private static let blockBytes = block * MemoryLayout<Candidate>.stride * 3 / 2

    private let share: FileShare
    private var candidates: [Candidate] = []
    private var blocks = 0
    private(set) var strings: [StringTable] = []
    private var windows: [StringWindows] = []

    init(_ share: FileShare) { self.share = share }

    var isEmpty: Bool { candidates.isEmpty }
    var count: Int { candidates.count }

    /// Adds the functions of a table; of two tables at most.
    ///
    /// - Throws: `.leftOut`; what was added so far stays.
    func add(_ file: borrowing ELFFile, _ table: ELFFile.SymbolTable, bias: UInt64 = 0) throws(SymbolError) {
        guard strings.count < 2, let symbols = file.symbols(in: table) else { return }
        let isSecond = !strings.isEmpty
        let names = StringWindows(symbols.strings)
        let before = candidates.count
        // what stays has names, however the reading ends
        defer {
            if candidates.count > before {
                strings.append(symbols.strings)
                windows.append(names)
            }
        }
        try file.forEachFunction(in: symbols) { (function) throws(SymbolError) in
            guard names.withString(at: Int(function.name), { !$0.isEmpty && $0[0] != 0 }) else { return true }
            if candidates.count == blocks * Self.block {
                guard share.take(Self.blockBytes) else {
                    throw .leftOut(path: file.path.description, reason: .memory)
                }
                blocks += 1
                candidates.reserveCapacity(max(blocks, 2) * Self.block)
            }
            candidates.append(
                Candidate(
                    address: function.address &+ bias, size: UInt32(clamping: function.size),
                    room: UInt32(clamping: function.room),
                    name: ELFSymbols.NamePlace(function.name, isSecond: isSecond), binding: function.binding))
            return true
        }
    }

    /// What makes a name the better one, at an address that has several.
    private struct Rank {
        let underscores: Int
        let binding: RawFunction.Binding
        let name: [UInt8]

        func precedes(_ other: Rank) -> Bool {
            if underscores != other.underscores { return underscores < other.underscores }
            if binding != other.binding { return binding < other.binding }
            if name.count != other.name.count { return name.count < other.name.count }
            return name.lexicographicallyPrecedes(other.name)
        }
    }

    private func rank(_ candidate: Candidate) -> Rank {
        windows[candidate.name.table].withString(at: candidate.name.offset) { whole in
            let (name, _) = whole.splitAtVersion()
            return Rank(
                underscores: name.prefix { $0 == UInt8(ascii: "_") }.count, binding: candidate.binding,
                name: Array(name))
        }
    }

    /// The entries by address, one each. Lets go of everything else.
    ///
    /// - Throws: `.leftOut`.
    func finish() throws(SymbolError) -> [ELFSymbols.Entry] {
        var sorted = candidates
        candidates = []
        sorted.sort { ($0.address, $0.size == 0 ? 1 : 0) < ($1.address, $1.size == 0 ? 1 : 0) }
        var entries: [ELFSymbols.Entry] = []
        var start = 0
        while start < sorted.count {
            var end = start + 1
            while end < sorted.count, sorted[end].address == sorted[start].address { end += 1 }
            var size = sorted[start].size
            if size == 0 {
                // From assembly, without a size: it reaches to the next symbol or to the end of its section.
                let distance = end < sorted.count ? sorted[end].address - sorted[start].address : .max
                size = min(sorted[start].room, UInt32(clamping: distance))
            }
            if entries.count % Self.block == 0 {
                guard share.take(Self.block * MemoryLayout<ELFSymbols.Entry>.stride) else {
                    throw .leftOut(path: "", reason: .memory)
                }
            }
            let best = try best(sorted[start..<end])
            entries.append(.init(address: sorted[start].address, size: size, name: best.name))
            start = end
        }
        share.give(blocks * Self.blockBytes)
        blocks = 0
        windows = []
        return entries
    }

    private func best(_ all: ArraySlice<Candidate>) throws(SymbolError) -> Candidate {
        var best = all[all.startIndex]
        guard all.count > 1 else { return best }
        var rank = rank(best)
        for (step, candidate) in all.dropFirst().enumerated() {
            // one without a size is an alias of those that have one
            guard (candidate.size == 0) == (best.size == 0) else { break }
            guard share.reading.allows(step: step + 1) else { throw .leftOut(path: "", reason: .time) }
            let other = self.rank(candidate)
            if other.precedes(rank) { (best, rank) = (candidate, other) }
        }
        return best
    }
}
