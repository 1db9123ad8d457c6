// SPDX-License-Identifier: Apache-2.0

/// The counters of /proc/vmstat that the page cache's accounting is held against.
/// They count the whole machine, since boot.
public struct VMStat: Hashable, Sendable {
    /// Pages read from block devices: file data, metadata, direct I/O, swap (`pgpgin` is in KiB).
    public var readPages: UInt64?
    /// The part of them that was swapped in.
    public var swappedInPages: UInt64?
    /// Pages that became dirty.
    public var dirtiedPages: UInt64?
    /// File pages that came back soon after they were evicted (Linux 5.9).
    public var refaultPages: UInt64?

    public init() {}

    /// Reads the file's text; what it does not say is nil.
    ///
    /// - Parameter pageBytes: the size of the kernel's pages.
    public init(vmstat text: String, pageBytes: Int) {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let value = UInt64(parts[1]) else { continue }
            switch parts[0] {
            case "pgpgin": readPages = value / UInt64(max(1, pageBytes / 1024))
            case "pswpin": swappedInPages = value
            case "nr_dirtied": dirtiedPages = value
            case "workingset_refault_file": refaultPages = value
            default: break
            }
        }
    }

    /// What was added since an earlier reading.
    public func since(_ earlier: VMStat) -> VMStat {
        func difference(_ field: KeyPath<VMStat, UInt64?>) -> UInt64? {
            guard let now = self[keyPath: field], let before = earlier[keyPath: field] else {
                return nil
            }
            return now >= before ? now - before : 0
        }
        var result = VMStat()
        result.readPages = difference(\.readPages)
        result.swappedInPages = difference(\.swappedInPages)
        result.dirtiedPages = difference(\.dirtiedPages)
        result.refaultPages = difference(\.refaultPages)
        return result
    }

    /// Where the kernel's own counters contradict an interval of the whole machine by
    /// more than is explained, one line each.
    ///
    /// Explained are a fiftieth, and what each CPU keeps to itself before it tells
    /// (125 pages, mm/vmstat.c). Reads from storage may exceed the misses by a tenth
    /// and a MiB a CPU, for metadata.
    public func contradictions(to pages: PageCacheInterval, cpus: Int) -> [String] {
        let kept = UInt64(max(1, cpus)) * 125
        var lines: [String] = []
        if let dirtied = dirtiedPages, differ(dirtied, pages.dirtyPages, slack: kept) {
            lines.append("\(dirtied) pages became dirty by /proc/vmstat, \(pages.dirtyPages) by this")
        }
        if let read = readPages {
            let storage = read - min(read, swappedInPages ?? 0)
            let missed = pages.missPages
            if storage > missed + missed / 10 + 2 * kept {
                lines.append(
                    "\(storage) pages were read from storage, \(missed) of them into the cache: "
                        + "the rest is direct I/O or metadata")
            } else if missed > storage + storage / 50 + kept {
                lines.append(
                    "\(missed) pages came into the cache, \(storage) from block devices: "
                        + "the rest is of network or FUSE file systems, or holes of files")
            }
        }
        if let refaults = refaultPages, refaults > pages.missPages + pages.writeAllocatedPages + kept {
            lines.append(
                "\(refaults) pages came back after eviction by /proc/vmstat, "
                    + "more than came in by this")
        }
        return lines
    }

    private func differ(_ a: UInt64, _ b: UInt64, slack: UInt64) -> Bool {
        let (low, high) = (min(a, b), max(a, b))
        return high - low > high / 50 + slack
    }
}
