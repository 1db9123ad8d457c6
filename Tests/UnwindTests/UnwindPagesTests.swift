// SPDX-License-Identifier: Apache-2.0
import TraceRecords
import Testing

@testable import Unwind

/// What the programs look up, without them: pages of mappings.
@Suite struct UnwindPagesTests {
    static let perPage = Int(UNWIND_PAGE_MAPPINGS)

    static func mappings(_ count: Int) -> [unwind_mapping] {
        (0..<count).map { index in
            var mapping = unwind_mapping()
            mapping.start = UInt64(index + 1) << 16
            mapping.end = mapping.start + 0x1000
            mapping.table = UInt32(index)
            return mapping
        }
    }

    static func firsts(_ page: unwind_page) -> [UInt64] {
        withUnsafeBytes(of: page.firsts) { Array($0.bindMemory(to: UInt64.self)) }
    }

    static func mappings(_ page: unwind_page) -> [unwind_mapping] {
        withUnsafeBytes(of: page.mappings) { Array($0.bindMemory(to: unwind_mapping.self)) }
    }

    /// BPF/unwind/mapping.h, in Swift: a page by `firsts`, in it the last mapping that begins at or below the address.
    static func found(_ address: UInt64, _ pages: [unwind_page]) -> unwind_mapping? {
        let first = pages[0]
        var (index, step) = (0, Int(UNWIND_PAGES) / 2)
        while first.pages > 1, step > 0 {
            if firsts(first)[index + step] <= address { index += step }
            step /= 2
        }
        let page = mappings(pages[index])
        (index, step) = (0, perPage / 2)
        while step > 0 {
            if page[index + step].start <= address { index += step }
            step /= 2
        }
        let mapping = page[index]
        return address >= mapping.start && address < mapping.end ? mapping : nil
    }

    @Test(
        "as many pages as the mappings fill, one even of none",
        arguments: [
            (0, 1), (1, 1), (63, 1), (64, 1), (65, 2), (128, 2), (129, 3), (2047, 32), (2048, 32), (2049, 32),
            (70_000, 32),
        ])
    func counts(mappings: Int, pages: Int) {
        #expect(UnwindPages.count(mappings: mappings) == pages)
        let made = UnwindPages(Self.mappings(mappings), pid: 7, generation: 3).pages
        #expect(made.count == pages)
        #expect(made.allSatisfy { $0.pid == 7 && $0.generation == 3 && $0.pages == pages })
        #expect(made.map { Int($0.count) }.reduce(0, +) == min(mappings, UnwindPages.mostMappings))
        #expect(made.dropLast().allSatisfy { $0.count == UNWIND_PAGE_MAPPINGS })
    }

    @Test("the first page has where each begins; behind the last of anything lies no address")
    func layout() {
        let all = Self.mappings(150)
        let pages = UnwindPages(all, pid: 1, generation: 1).pages
        #expect(Self.firsts(pages[0]).prefix(3) == [all[0].start, all[64].start, all[128].start])
        #expect(Self.firsts(pages[0]).dropFirst(3).allSatisfy { $0 == .max })
        for page in pages.dropFirst() { #expect(Self.firsts(page).allSatisfy { $0 == .max }) }
        for (number, page) in pages.enumerated() {
            for (index, mapping) in Self.mappings(page).enumerated() {
                let place = number * Self.perPage + index
                let (start, end) = place < 150 ? (all[place].start, all[place].end) : (.max, .max)
                #expect(mapping.start == start && mapping.end == end, "\(number): \(index)")
            }
        }
    }

    @Test("each address is found by the programs' two searches", arguments: [0, 1, 2, 63, 64, 65, 200, 2048, 2050])
    func search(count: Int) {
        let all = Self.mappings(count)
        let pages = UnwindPages(all, pid: 1, generation: 1).pages
        for (index, mapping) in all.enumerated() {
            let expected: UInt32? = index < UnwindPages.mostMappings ? UInt32(index) : nil
            for address in [mapping.start, mapping.end - 1] {
                #expect(Self.found(address, pages)?.table == expected)
            }
            #expect(Self.found(mapping.end, pages) == nil && Self.found(mapping.start - 1, pages) == nil)
        }
        #expect(Self.found(0, pages) == nil && Self.found(1 << 55, pages) == nil)
    }

    @Test("a region's mapping: by its table, by frame pointers where the programs don't have that, not at all")
    func mapping() {
        func made(_ rules: UnwindRegion.Rules) -> unwind_mapping {
            unwind_mapping(UnwindRegion(start: 0x1000, end: 0x3000, rules: rules)) { $0 == 5 ? 9 : nil }
        }
        let known = made(.table(5, offset: 0x400))
        #expect(known.start == 0x1000 && known.end == 0x3000)
        #expect(known.table == 5 && known.offset == 0x400 && known.rules == 9)
        for other in [made(.table(6, offset: 0x400)), made(.framePointers)] {
            #expect(other.start == 0x1000 && other.table == 0 && other.offset == 0 && other.rules == 0)
        }
        #expect(made(.none).table == UInt32(UNWIND_NO_CODE))
    }
}
