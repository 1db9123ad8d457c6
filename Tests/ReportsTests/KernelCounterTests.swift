// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct KernelCounters {
    private func stat(read: Int, dirtied: Int, refault: Int, pageBytes: Int = 4096) -> VMStat {
        let kilobytes = read * pageBytes / 1024
        return VMStat(
            vmstat: "pgpgin \(kilobytes)\npswpin 0\nnr_dirtied \(dirtied)\nworkingset_refault_file \(refault)\n",
            pageBytes: pageBytes)
    }

    @Test("what was read is told in the kernel's pages", arguments: [4096, 16384, 65536])
    func pageSizes(bytes: Int) {
        let counters = stat(read: 10000, dirtied: 5000, refault: 0, pageBytes: bytes)
        #expect(counters.readPages == 10000)
        let pages = PageCacheInterval(readAccess: 10000, misses: 10000, dirty: 5000)
        #expect(counters.contradictions(to: pages, cpus: 2).isEmpty)
    }

    @Test("agreement, and each contradiction in a line of its own")
    func contradictions() {
        let pages = PageCacheInterval(readAccess: 10000, misses: 10000, dirty: 5000)
        #expect(stat(read: 10000, dirtied: 5000, refault: 0).contradictions(to: pages, cpus: 2).isEmpty)
        #expect(stat(read: 10200, dirtied: 5100, refault: 9000).contradictions(to: pages, cpus: 2).isEmpty)
        #expect(stat(read: 20000, dirtied: 5000, refault: 0).contradictions(to: pages, cpus: 2).count == 1)
        #expect(stat(read: 0, dirtied: 0, refault: 20000).contradictions(to: pages, cpus: 2).count == 3)
    }

    @Test(
        "what /proc/vmstat does not say is not compared; garbage is no number",
        arguments: [
            "", "pgpgin", "pgpgin x", "pgpgin -1", "nr_dirtied 99999999999999999999999",
        ])
    func hostile(text: String) {
        let counters = VMStat(vmstat: text, pageBytes: 4096)
        #expect(counters.readPages == nil && counters.dirtiedPages == nil)
        #expect(counters.contradictions(to: PageCacheInterval(misses: 1_000_000), cpus: 1).isEmpty)
        #expect(counters.since(counters) == counters)
    }
}
