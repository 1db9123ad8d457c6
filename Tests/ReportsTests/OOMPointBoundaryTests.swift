// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

/// Points of oom_badness() at the ends of what they are made of.
@Suite struct OOMPointBoundaries {
    private func points(
        _ adjustment: Int32, resident: UInt64 = 40_960, swap: UInt64 = 8192, tables: UInt64 = 4096,
        total: UInt64 = 100_000, page: UInt64 = 4096
    ) -> Int64? {
        OOMProcess(
            pid: 1, startNanoseconds: 0, comm: "a", oomScoreAdj: adjustment, residentBytes: resident, swapBytes: swap,
            pageTableBytes: tables, cgroupID: 0
        ).points(totalPages: total, pageBytes: page)
    }

    @Test("pages of all three kinds, and a thousandth of what there is for each unit of oom_score_adj")
    func sums() {
        #expect(points(0) == 13 && points(1) == 113 && points(-1) == -87 && points(1000) == 100_013)
        #expect(points(0, resident: 4095) == 3 && points(0, swap: 0, tables: 0) == 10)
        // below a thousand pages the setting has no weight
        #expect(points(500, total: 999) == 13 && points(500, total: 1000) == 513)
        #expect(points(0, page: 1) == 53_248 && points(0, page: 65_536) == 0)
    }

    @Test("-1000 is never chosen, -999 may be; without a page's size nothing is known")
    func bounds() {
        #expect(points(-1000) == nil && points(-999) == -99_887 && points(0, page: 0) == nil)
        #expect(points(1000, resident: .max, swap: 0, tables: 0, page: 1) == .max && points(1000, total: .max) == .max)
        #expect(points(-999, total: .max) == Int64(.min + 13))
    }
}
