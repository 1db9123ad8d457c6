// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

/// What is explained and what is a contradiction, one page apart.
@Suite struct VMStatBoundaries {
    private func contradictions(
        read: UInt64? = nil, swapped: UInt64? = nil, dirtied: UInt64? = nil, refaults: UInt64? = nil,
        to pages: PageCacheInterval, cpus: Int = 1
    ) -> [String] {
        var stat = VMStat()
        (stat.readPages, stat.swappedInPages, stat.dirtiedPages, stat.refaultPages) = (read, swapped, dirtied, refaults)
        return stat.contradictions(to: pages, cpus: cpus)
    }

    @Test("dirtied pages: a fiftieth of the larger, and 125 a CPU")
    func dirtied() {
        let pages = PageCacheInterval(dirty: 1000)
        #expect(contradictions(dirtied: 1147, to: pages).isEmpty)
        #expect(
            contradictions(dirtied: 1148, to: pages) == ["1148 pages became dirty by /proc/vmstat, 1000 by this"])
        let more = PageCacheInterval(dirty: 1148)
        #expect(contradictions(dirtied: 1001, to: more).isEmpty)
        #expect(contradictions(dirtied: 1000, to: more).count == 1)
        #expect(contradictions(dirtied: 1275, to: pages, cpus: 2).isEmpty)
        #expect(contradictions(dirtied: 1276, to: pages, cpus: 2).count == 1)
        #expect(contradictions(dirtied: 1147, to: pages, cpus: 0).isEmpty)
        #expect(contradictions(dirtied: 1148, to: pages, cpus: 0).count == 1)
    }

    @Test("more read than came into the cache: by a tenth, and a MiB a CPU")
    func read() {
        let pages = PageCacheInterval(misses: 1000)
        #expect(contradictions(read: 1350, to: pages).isEmpty)
        #expect(
            contradictions(read: 1351, to: pages) == [
                "1351 pages were read from storage, 1000 of them into the cache: the rest is direct I/O or metadata"
            ])
        #expect(contradictions(read: 1600, to: pages, cpus: 2).isEmpty)
        #expect(contradictions(read: 1601, to: pages, cpus: 2).count == 1)
        #expect(contradictions(read: 1400, swapped: 50, to: pages).isEmpty)
        #expect(contradictions(read: 1401, swapped: 50, to: pages).count == 1)
    }

    @Test("more came into the cache than was read: by a fiftieth, and 125 a CPU")
    func missed() {
        #expect(contradictions(read: 1000, to: PageCacheInterval(misses: 1145)).isEmpty)
        #expect(
            contradictions(read: 1000, to: PageCacheInterval(misses: 1146)) == [
                "1146 pages came into the cache, 1000 from block devices: "
                    + "the rest is of network or FUSE file systems, or holes of files"
            ])
        // swapped in alone: nothing of it is the cache's
        #expect(contradictions(read: 10, swapped: 20, to: PageCacheInterval(misses: 125)).isEmpty)
        #expect(contradictions(read: 10, swapped: 20, to: PageCacheInterval(misses: 126)).count == 1)
    }

    @Test("refaults: no more than came in, and 125 a CPU")
    func refaults() {
        let pages = PageCacheInterval(misses: 1000, writeAllocated: 100)
        #expect(contradictions(refaults: 1225, to: pages).isEmpty)
        #expect(
            contradictions(refaults: 1226, to: pages) == [
                "1226 pages came back after eviction by /proc/vmstat, more than came in by this"
            ])
        #expect(contradictions(refaults: 1350, to: pages, cpus: 2).isEmpty)
        #expect(contradictions(refaults: 1351, to: pages, cpus: 2).count == 1)
    }

    @Test("the text: pgpgin is in KiB, pages of any size; each counter by its own name")
    func parse() {
        let text = "pgpgin 39\npswpin 5\nnr_dirtied 6\nworkingset_refault_file 7\nother 9\npgpgin 1 2\n"
        let stat = VMStat(vmstat: text, pageBytes: 4096)
        #expect(stat.readPages == 9 && stat.swappedInPages == 5 && stat.dirtiedPages == 6 && stat.refaultPages == 7)
        #expect(VMStat(vmstat: text, pageBytes: 16384).readPages == 2)
        #expect(VMStat(vmstat: text, pageBytes: 1024).readPages == 39)
        #expect(VMStat(vmstat: text, pageBytes: 0).readPages == 39)
    }

    @Test("differences of readings: never below zero, nil where one reading lacks it")
    func since() {
        let before = VMStat(vmstat: "pgpgin 40\npswpin 5\nnr_dirtied 60\n", pageBytes: 4096)
        let now = VMStat(
            vmstat: "pgpgin 80\npswpin 4\nnr_dirtied 60\nworkingset_refault_file 7\n", pageBytes: 4096)
        let difference = now.since(before)
        #expect(difference.readPages == 10 && difference.swappedInPages == 0 && difference.dirtiedPages == 0)
        #expect(difference.refaultPages == nil)
    }

    @Test("/proc/meminfo: lines of other names are not taken for the two")
    func meminfo() {
        let info = MemoryInfo(meminfo: "Buffers:         3 kB\nCached:          5 kB\nSwapCached: 9 kB\n")
        #expect(info.buffersBytes == 3072 && info.cachedBytes == 5120)
        #expect(MemoryInfo(meminfo: "Buffers: 3\n").buffersBytes == nil)
    }
}
