// SPDX-License-Identifier: Apache-2.0

/// How many pages of each site are resident, by the site that faulted each page in last.
public struct GrowthResidency: Sendable {
    private var resident: [UInt32: UInt64] = [:]
    private var absent: [UInt32: UInt64] = [:]
    /// Sites with pages that were not looked at, or are not where they were noted.
    private var unknown: Set<UInt32> = []
    /// How many pages a fault in a file may be off by: pages around it are mapped with it.
    private static let slack: UInt64 = 64

    public init() {}

    /// A page's word in /proc/PID/pagemap says that it is present (Documentation/admin-guide/mm/pagemap.rst, bit 63).
    public static func isPresent(_ word: UInt64) -> Bool { word >> 63 == 1 }

    /// Takes in consecutive pages.
    ///
    /// - Parameters:
    ///   - ids: the site of each page; 0: not known.
    ///   - words: the pages' words in pagemap; where there are fewer, the rest is not mapped. nil: it was not read.
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

    /// Compares the pages of an address space that are no longer where they were noted with those that it has lost. Where
    /// more are missing than were lost, mremap has moved some to an address that no hook sees: how many of these sites'
    /// pages are resident is not known.
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
