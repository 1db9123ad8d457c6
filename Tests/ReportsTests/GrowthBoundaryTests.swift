// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

/// What growth says where something is none, all, or the same as something else.
@Suite struct GrowthBoundaries {
    private func stack(
        _ pid: UInt32, _ pages: GrowthPages, resident: UInt64? = nil, huge: UInt64 = 0, majors: UInt64 = 0,
        wait: UInt64 = 0, seesFaults: Bool = true, frames: [MemLeakFrame]? = [GrowthTests.frame("touch", 4)],
        end: StackEnd? = .whole
    ) -> GrowthStack {
        let site = GrowthSite(
            space: GrowthSpaceID(pid: pid, serial: 1), stack: 1, id: 1, pages: pages, huge: huge, unplaced: 0,
            faults: 3,
            majors: majors, waitNanoseconds: wait)
        return GrowthStack(site, comm: nil, resident: resident, seesFaults: seesFaults, frames: frames, end: end)
    }

    private func lines(_ stacks: [GrowthStack], _ sums: GrowthSums = GrowthSums(), pids: Bool = false) -> [String] {
        let report = GrowthReport(
            time: WallTime(nanoseconds: 0), elapsedNanoseconds: 9, stacks: stacks, stackCount: stacks.count, sums: sums,
            pageBytes: 4096, losses: Losses())
        return Array(GrowthText(top: 3, showsPIDs: pids).lines(report).dropFirst())
    }

    @Test("a stack of anonymous pages that were there at once has no line of details")
    func plain() {
        #expect(
            lines([stack(7, GrowthPages(anonymous: 2), resident: 1)]) == [
                "\t4096 bytes resident, 8192 faulted in 3 faults from stack", "\t\t0x0000000000001004\ttouch+0x4 [app]",
                "resident 0 bytes, +0 since the start; by stacks 0",
            ])
    }

    @Test("details: each where it is not 0, major faults where a hook sees them")
    func details() {
        func words(_ stack: GrowthStack) -> String { lines([stack])[1] }
        #expect(words(stack(7, GrowthPages(anonymous: 1), huge: 1)) == "\t\t[4096 by huge pages]")
        #expect(words(stack(7, GrowthPages(file: 1))) == "\t\t[4096 of files]")
        #expect(words(stack(7, GrowthPages(shared: 2))) == "\t\t[8192 shared]")
        #expect(words(stack(7, GrowthPages(file: -1, shared: 1))) == "\t\t[-4096 of files, 4096 shared]")
        #expect(words(stack(7, GrowthPages(), majors: 1, wait: 2_000_000)) == "\t\t[1 major, waited 2 ms]")
        #expect(!words(stack(7, GrowthPages(), majors: 1, wait: 1, seesFaults: false)).contains("major"))
    }

    @Test("processes are named where there may be several, by name where it is known")
    func owners() {
        #expect(lines([stack(7, GrowthPages(anonymous: 1))], pids: true)[0].hasSuffix(" from stack of pid 7"))
        #expect(lines([stack(7, GrowthPages(anonymous: 1), frames: nil, end: nil)])[1] == "\t\tstack information lost")
    }

    @Test("the balance: a line for each part that is not 0, with its sign")
    func balance() {
        var sums = GrowthSums()
        (sums.change, sums.resident, sums.elsewhere) = (1, 1, 1)
        (sums.returned, sums.reclaimed, sums.taken, sums.ended) = (1, 2, 3, 4)
        #expect(
            lines([], sums) == [
                "resident 4096 bytes, +4096 since the start; by stacks 0", "  +4096 by fork, exec and the kernel",
                "  -4096 given back", "  -8192 reclaimed", "  -12288 taken by others", "  -16384 gone with its end",
            ])
    }

    @Test("merging: only within a process; what is unknown in one is unknown in the sum")
    func merging() {
        let merged = GrowthStack.merged([
            stack(7, GrowthPages(anonymous: 4), resident: 2, huge: 1, majors: 1, wait: 5),
            stack(7, GrowthPages(anonymous: 2), resident: 1, huge: 2, majors: 2, wait: 6),
            stack(8, GrowthPages(anonymous: 9), resident: 1),
        ])
        #expect(merged.map(\.pid) == [7, 8] && merged.map(\.resident) == [3, 1])
        #expect(
            merged[0].huge == 3 && merged[0].faults == 6 && merged[0].majors == 3 && merged[0].waitNanoseconds == 11)
        #expect(merged[0].pages == GrowthPages(anonymous: 6))
        let half = GrowthStack.merged([
            stack(7, GrowthPages(anonymous: 4), resident: 2), stack(7, GrowthPages(anonymous: 2), seesFaults: false),
        ])
        #expect(half.map(\.resident) == [nil] && half[0].majors == nil && half[0].waitNanoseconds == nil)
    }

    @Test("order: by resident pages where these are known, else by all; then by all; then by process")
    func order() {
        func order(_ stacks: [GrowthStack]) -> [UInt32] { GrowthStack.merged(stacks).map(\.pid) }
        #expect(
            order([stack(1, GrowthPages(anonymous: 9), resident: 1), stack(2, GrowthPages(anonymous: 5))]) == [2, 1])
        #expect(
            order([
                stack(1, GrowthPages(anonymous: 5), resident: 1), stack(2, GrowthPages(anonymous: 6), resident: 1),
            ]) == [2, 1])
        #expect(
            order([
                stack(1, GrowthPages(anonymous: 5), resident: 1), stack(2, GrowthPages(anonymous: 5), resident: 1),
            ]) == [2, 1])
    }

    @Test("pages by kind: swap entries are none of them")
    func pages() {
        let one = GrowthPages((1, 2, 100, 4))
        #expect(one == GrowthPages(file: 1, anonymous: 2, shared: 4) && one.total == 7)
        #expect(
            one + GrowthPages(file: 10, anonymous: 20, shared: 40) == GrowthPages(file: 11, anonymous: 22, shared: 44))
    }

    @Test("a word of pagemap: bit 63 alone says that the page is present")
    func present() {
        #expect(GrowthResidency.isPresent(1 << 63) && GrowthResidency.isPresent(.max))
        #expect(!GrowthResidency.isPresent(1 << 62) && !GrowthResidency.isPresent(0))
    }
}
