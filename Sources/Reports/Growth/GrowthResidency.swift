// SPDX-License-Identifier: Apache-2.0

/// Which noted pages are resident, by the site that made them so last.
public struct GrowthResidency: Sendable {
    private var resident: [UInt32: UInt64] = [:]
    /// Sites with pages that were not looked at.
    private var unknown: Set<UInt32> = []

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
        for (id, word) in zip(ids, words) where id != 0 && Self.isPresent(word) { resident[id, default: 0] += 1 }
    }

    /// How many of a site's pages are resident; nil where not all are known.
    public func pages(of site: GrowthSite) -> UInt64? {
        guard site.unplaced == 0, !unknown.contains(site.id) else { return nil }
        return resident[site.id] ?? 0
    }
}
