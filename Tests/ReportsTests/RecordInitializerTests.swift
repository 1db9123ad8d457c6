// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

/// The line at which C names stop: each field of a record is the value's that is named for it.
@Suite struct RecordInitializers {
    @Test("growth: an address space and what a stack of it made resident")
    func growth() {
        var space = growth_space()
        (space.pid, space.serial) = (7, 2)
        (space.base, space.now) = ((1, 2, 100, 4), (10, 20, 100, 40))
        (space.faulted, space.elsewhere, space.returned) = (300, 50, 7)
        (space.reclaimed, space.taken, space.ended) = (11, 13, 17)
        withUnsafeMutableBytes(of: &space.comm) { $0.copyBytes(from: Array("app".utf8)) }
        let value = GrowthSpace(space)
        #expect(value.id == GrowthSpaceID(pid: 7, serial: 2) && value.comm == "app")
        // entries of swap are no pages
        #expect(value.sums.resident == 70 && value.sums.change == 63)
        #expect(value.sums.lost == 48 && value.sums.explained == 302)
        var sums = value.sums
        sums += value.sums
        #expect(sums.change == 126 && sums.resident == 140 && sums.faulted == 600 && sums.elsewhere == 100)
        #expect(sums.returned == 14 && sums.reclaimed == 22 && sums.taken == 26 && sums.ended == 34)

        var site = growth_site()
        site.pages = (1, 2, 100, 4)
        (site.huge, site.unplaced, site.faults, site.majors, site.wait_ns, site.id) = (5, 6, 7, 8, 9, 10)
        let stack = GrowthSite(growth_site_key(stack: 3, pid: 7, serial: 2), site)
        #expect(stack.space == value.id && stack.stack == 3 && stack.id == 10)
        #expect(stack.pages == GrowthPages(file: 1, anonymous: 2, shared: 4) && stack.pages.total == 7)
        #expect(stack.huge == 5 && stack.unplaced == 6 && stack.faults == 7 && stack.majors == 8)
        #expect(stack.waitNanoseconds == 9)
        #expect(stack.pages + stack.pages == GrowthPages(file: 2, anonymous: 4, shared: 8))
    }

    @Test("swapin: a process, there and back")
    func swapIn() {
        let key = swapin_key(start_ns: 9, pid: 7, padding: 0)
        let process = SwapInProcess(key)
        #expect(process.pid == 7 && process.start == 9 && process.key.pid == 7 && process.key.start_ns == 9)
        #expect(process != SwapInProcess(swapin_key(start_ns: 10, pid: 7, padding: 0)))
    }

    @Test("cachetop: a use, with a file and without, and its row's entry")
    func cacheTop() {
        var entry = cachetop_entry()
        (entry.uid, entry.flags, entry.cgroup) = (1000, 1, 5)
        withUnsafeMutableBytes(of: &entry.comm) { $0.copyBytes(from: Array("cat".utf8)) }
        var key = cachetop_key()
        (key.pid, key.device, key.inode) = (7, 3, 11)
        let use = CacheTopUse(key: key, entry: entry)
        #expect(use.key == .init(pid: 7, file: CachedFile(device: 3, inode: 11)) && use.comm == "cat")
        let pages = PageCacheInterval(readAccess: 4, misses: 1)
        let made = CacheTopEntry(use, pages: pages)
        #expect(made.pid == 7 && made.uid == 1000 && made.comm == "cat" && made.cgroup == 5 && made.pages == pages)
        #expect(made.file == CachedFile(device: 3, inode: 11) && made.fileState == CachedFileState(rawValue: 1))
        key.device = CACHETOP_NO_FILE
        #expect(CacheTopUse(key: key, entry: entry).key.file == nil)
        let unattributed = PageCacheInterval(readAccess: 10)
        let interval = CacheTopInterval(entries: [made, made], unattributed: unattributed)
        #expect(interval.total == PageCacheInterval(readAccess: 18, misses: 2))
    }

    @Test("a stack before the trace is its caller; one that was captured has as many frames as it says")
    func stacks() {
        let before = CapturedStack(callerBeforeTrace: 0x10)
        #expect(before.frames == [0x10] && before.end == nil && before.isBeforeTrace)
        var record = stack_record()
        (record.frames.0, record.frames.1, record.frames.2, record.count) = (1, 2, 3, 2)
        let captured = CapturedStack(record)
        #expect(captured.frames == [1, 2] && !captured.isBeforeTrace)
    }
}
