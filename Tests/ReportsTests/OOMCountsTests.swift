// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct OOMCountsTests {
    @Test("by cgroup, the most first; beyond the first thousands and where none is known, together")
    func counts() {
        var counts = OOMCounts()
        #expect(counts.all.isEmpty)
        for path in ["/b", "/a", "/b"] { counts.add(to: CgroupPath(path), byProgram: false) }
        counts.add(to: CgroupPath("/a"), byProgram: true)
        counts.add(to: CgroupPath("/c"), byProgram: true)
        #expect(
            counts.all == [
                OOMCounts.Row(cgroup: CgroupPath("/a"), kills: 1, userspaceKills: 1),
                OOMCounts.Row(cgroup: CgroupPath("/b"), kills: 2, userspaceKills: 0),
                OOMCounts.Row(cgroup: CgroupPath("/c"), kills: 0, userspaceKills: 1),
            ])
        for number in 0..<5000 { counts.add(to: CgroupPath("/n/\(number)"), byProgram: false) }
        #expect(counts.all.count == 4097)
        #expect(counts.all.first == OOMCounts.Row(cgroup: nil, kills: 5003 - 4096, userspaceKills: 0))
        #expect(counts.all.map(\.kills).reduce(0, +) == 5003)
    }
}
