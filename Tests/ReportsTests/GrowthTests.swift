// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct GrowthTests {
    private static let here = GrowthSpaceID(pid: 7, serial: 1)

    static func site(_ id: UInt32, pages: Int64, stack: UInt64 = 1, unplaced: UInt64 = 0) -> GrowthSite {
        GrowthSite(
            space: here, stack: stack, id: id, pages: GrowthPages(file: 1, anonymous: pages - 1), huge: 512,
            unplaced: unplaced, faults: 3, majors: 2, waitNanoseconds: 1_500_000)
    }

    static func frame(_ name: String, _ offset: UInt64) -> MemLeakFrame {
        MemLeakFrame(
            address: 0x1000 + offset, symbol: name, offset: offset, module: "/bin/app", moduleOffset: 0x1000 + offset)
    }

    static func stack(_ id: UInt32, pages: Int64, resident: UInt64?, _ frames: [MemLeakFrame]?) -> GrowthStack {
        GrowthStack(
            site(id, pages: pages), comm: "app", resident: resident, seesFaults: true, frames: frames,
            end: frames == nil ? nil : .whole)
    }

    static func report(_ stacks: [GrowthStack], _ sums: GrowthSums = GrowthSums()) -> GrowthReport {
        GrowthReport(
            time: GoldenRecord.time, elapsedNanoseconds: 9, stacks: stacks, stackCount: stacks.count + 1, sums: sums,
            pageBytes: 4096, losses: Losses(counts: [0, 5]))
    }

    @Test("a page is its site's where pagemap has it present; in swap or unmapped it is not resident")
    func residency() {
        var residency = GrowthResidency()
        // present; in swap (bit 62); not mapped; nobody's; behind the end of the file
        residency.take([1, 1, 2, 0, 2], [1 << 63 | 5, 1 << 62, 0, 1 << 63])
        #expect(residency.pages(of: Self.site(1, pages: 9)) == 1)
        #expect(residency.pages(of: Self.site(2, pages: 9)) == 0)
    }

    @Test("what was not looked at is not known: neither is what has no address")
    func unknown() {
        var residency = GrowthResidency()
        residency.take([1, 2], [1 << 63, 1 << 63])
        residency.take([0, 2], nil)
        #expect(residency.pages(of: Self.site(1, pages: 9)) == 1)
        #expect(residency.pages(of: Self.site(2, pages: 9)) == nil)
        #expect(residency.pages(of: Self.site(1, pages: 9, unplaced: 1)) == nil)
    }

    @Test("pages that are not where they were, and are not lost, were moved: what is resident is not known")
    func moved() {
        var residency = GrowthResidency()
        residency.take([UInt32](repeating: 1, count: 100) + [2], [UInt64](repeating: 0, count: 100) + [1 << 63])
        var lost = residency
        lost.compare([Self.site(1, pages: 100), Self.site(2, pages: 1)], lost: 36)
        #expect(lost.pages(of: Self.site(1, pages: 100)) == 0)
        residency.compare([Self.site(1, pages: 100), Self.site(2, pages: 1)], lost: 35)
        #expect(residency.pages(of: Self.site(1, pages: 100)) == nil)
        #expect(residency.pages(of: Self.site(2, pages: 1)) == 1)
    }

    @Test("stacks through the same functions are one, the larger's, and unknown stays unknown")
    func merging() {
        let merged = GrowthStack.merged([
            Self.stack(1, pages: 10, resident: 4, [Self.frame("touch", 4), Self.frame("main", 9)]),
            Self.stack(2, pages: 30, resident: 20, [Self.frame("touch", 8), Self.frame("main", 9)]),
            Self.stack(3, pages: 90, resident: nil, [Self.frame("other", 4)]),
            Self.stack(4, pages: 1, resident: nil, [Self.frame("other", 5)]),
        ])
        #expect(merged.map(\.pages.total) == [91, 40])
        #expect(merged.map(\.resident) == [nil, 24])
        #expect(merged.map(\.majors) == [4, 4])
        #expect(merged.last?.frames?.first?.offset == 8)
    }

    @Test("what was seen adds up, entries of swap are no pages, and an end is a loss of all")
    func sums() {
        var space = growth_space()
        space.base = (1, 2, 100, 3)
        space.now = (2, 12, 900, 4)
        (space.faulted, space.elsewhere, space.returned) = (20, 1, 5)
        (space.reclaimed, space.taken, space.ended) = (2, 1, 1)
        let sums = GrowthSums(space)
        #expect(sums.change == 12 && sums.resident == 18)
        #expect(sums.explained == 12)
        var both = sums
        both += sums
        #expect(both.change == 24 && both.explained == 24)
    }

    @Test("a mapping that mremap moves keeps its place in a huge page, where there is room for one more")
    func moves() {
        let mebi: UInt64 = 1 << 20
        func targets(from: UInt64, room: UInt64, roomLength: UInt64) -> [UInt64] {
            GrowthMove(
                space: GrowthSpaceID(pid: 7, serial: 1), parked: 2, from: from, length: mebi, newLength: 4 * mebi - 1,
                room: room, roomLength: roomLength
            ).targets(pageBytes: 4096)
        }
        #expect(targets(from: 0, room: 77 * mebi, roomLength: 4 * mebi) == [77 * mebi])
        #expect(targets(from: 5 * mebi, room: 20 * mebi + 4096, roomLength: 6 * mebi) == [21 * mebi])
        #expect(targets(from: 4 * mebi, room: 20 * mebi, roomLength: 6 * mebi) == [22 * mebi, 20 * mebi])
        // room that is too small, or larger than is explained
        #expect(targets(from: 0, room: 0, roomLength: mebi) == [])
        #expect(targets(from: 0, room: 0, roomLength: 7 * mebi) == [])
    }

    @Test("text: what is known of a stack, and ? for what is not")
    func text() {
        var sums = GrowthSums()
        (sums.change, sums.resident, sums.faulted, sums.returned) = (-2, 5, 3, 5)
        let known = Self.stack(1, pages: 10, resident: 4, [Self.frame("touch", 4)])
        let lines = GrowthText(top: 10, showsPIDs: true).lines(
            Self.report([known, Self.stack(2, pages: 1, resident: nil, nil)], sums))
        #expect(
            lines.dropFirst() == [
                "\t? bytes resident, 4096 faulted in 3 faults from stack of pid 7 (app)",
                "\t\t[2097152 by huge pages, 4096 of files, 2 major, waited 1.5 ms]", "\t\tstack information lost",
                "\t16384 bytes resident, 40960 faulted in 3 faults from stack of pid 7 (app)",
                "\t\t[2097152 by huge pages, 4096 of files, 2 major, waited 1.5 ms]",
                "\t\t0x0000000000001004\ttouch+0x4 [app]",
                "resident 20480 bytes, -8192 since the start; by stacks 12288", "  -20480 given back",
            ])
    }
}

extension GoldenRecord {
    static let growth = GoldenRecord(type: "growth") {
        let known = GrowthTests.stack(1, pages: 10, resident: 4, [GrowthTests.frame("touch", 4)])
        let unknown = GrowthStack(
            GrowthTests.site(2, pages: 1), comm: nil, resident: nil, seesFaults: false, frames: nil, end: nil)
        return GrowthJSON.lines(GrowthTests.report([known, unknown])).filter { !$0.text().contains("growth_summary") }
    }

    static let growthSummary = GoldenRecord(type: "growth_summary") {
        var sums = GrowthSums()
        (sums.change, sums.resident, sums.faulted, sums.elsewhere) = (-2, 5, 3, 1)
        (sums.returned, sums.reclaimed, sums.taken, sums.ended) = (3, 1, 1, 1)
        return [GrowthJSON.summary(GrowthTests.report([], sums))]
    }
}
