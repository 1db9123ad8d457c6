// SPDX-License-Identifier: Apache-2.0

/// Which noted pages are resident, by the site that made them so last.
public struct GrowthResidency: Sendable {
    private var resident: [UInt32: UInt64] = [:]
    private var absent: [UInt32: UInt64] = [:]
    /// Sites with pages that were not looked at, or are not where they were noted.
    private var unknown: Set<UInt32> = []
    /// What a fault in a file may be off by: pages around it are mapped with it.
    private static let slack: UInt64 = 64

    public init() {}

    /// A page's word in /proc/PID/pagemap says that it is present (Documentation/admin-guide/mm/pagemap.rst, bit 63).
    public static func isPresent(_ word: UInt64) -> Bool { word >> 63 == 1 }

    /// Takes in pages that lie beside each other.
    ///
    /// - Parameters:
    ///   - ids: whose each is; 0: nobody's that is known.
    ///   - words: theirs in pagemap; fewer, where it ends there: the rest is not mapped. nil: they were not looked at.
    public mutating func take(_ ids: [UInt32], _ words: [UInt64]?) {
        guard let words else { return unknown.formUnion(ids) }
        for (index, id) in ids.enumerated() where id != 0 {
            if index < words.count, Self.isPresent(words[index]) {
                resident[id, default: 0] += 1
            } else {
                absent[id, default: 0] += 1
            }
        }
    }

    /// More pages of an address space are not where they were noted than it has lost: mremap has moved them to an address
    /// that nothing tells of, and they are resident there. Where is not known, so neither is whose are resident still.
    public mutating func compare(_ sites: some Sequence<GrowthSite>, lost: Int64) {
        let missing = sites.filter { absent[$0.id] != nil }
        let sum = missing.reduce(0) { $0 &+ (absent[$1.id] ?? 0) }
        if sum > UInt64(max(0, lost)) &+ Self.slack { unknown.formUnion(missing.map(\.id)) }
    }

    /// How many of a site's pages are resident; nil where not all are known.
    public func pages(of site: GrowthSite) -> UInt64? {
        guard site.unplaced == 0, !unknown.contains(site.id) else { return nil }
        return resident[site.id] ?? 0
    }
}
