// SPDX-License-Identifier: Apache-2.0

extension KernelSymbols {
    /// Where the kernel image's functions of these names lie, compiler-made parts (`x.isra.0`,
    /// `x.cold`) included: each from its first address to the next function's.
    public func ranges(of functions: [String]) -> [Range<UInt64>] {
        let wanted = functions.map { Array($0.utf8) }
        let lengths = wanted.map(\.count)
        guard let shortest = lengths.min() else { return [] }
        var found: [Range<UInt64>] = []
        for (index, entry) in entries.enumerated()
        where entry.module == 0 && Int(entry.nameLength) >= shortest {
            let from = Int(entry.nameOffset), to = from + Int(entry.nameLength)
            let isWanted = wanted.contains { name in
                guard names[from] == name[0], to - from >= name.count,
                    to - from == name.count || names[from + name.count] == UInt8(ascii: ".")
                else { return false }
                return names[from..<(from + name.count)].elementsEqual(name)
            }
            guard isWanted else { continue }
            let end = entries[index...].first { $0.address > entry.address }?.address
            found.append(entry.address..<min(end ?? .max, entry.address + Self.longestFunction))
        }
        return found
    }
}
