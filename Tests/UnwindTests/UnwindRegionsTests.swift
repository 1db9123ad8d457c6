// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Symbols
@testable import Unwind

/// Which part of a mapping has which part of a table.
@Suite struct UnwindRegionsTests {
    private static let base: UInt64 = 0x7f00_0000_0000

    private func mapping(_ start: UInt64, _ length: UInt64, offset: UInt64 = 0) throws -> Mapping {
        func hex(_ number: UInt64) -> String { String(number, radix: 16) }
        let line = "\(hex(start))-\(hex(start + length)) r-xp \(hex(offset)) fd:01 12 /lib/x.so"
        return try #require(Mapping(line: Array(line.utf8)[...]))
    }

    private func image(_ segments: [(offset: UInt64, address: UInt64, size: UInt64)]) -> ELFImage {
        let loaded = segments.map {
            ELFImage.Segment(fileOffset: $0.offset, address: $0.address, fileSize: $0.size, isExecutable: true)
        }
        let data = ELFImage.Segment(fileOffset: 0, address: 0, fileSize: 0x1000, isExecutable: false)
        return ELFImage(isFixed: false, machine: 62, segments: [data] + loaded, buildID: nil, debugLink: nil)
    }

    private func regions(
        _ mapping: Mapping, _ image: ELFImage, start: UInt64 = 0x1000, length: UInt64 = 0x3000
    ) -> [UnwindRegion] {
        var regions = UnwindRegions()
        regions.add(mapping, UnwindTables.Known(id: 4, start: start, length: length), image)
        return regions.regions
    }

    private func region(_ from: UInt64, _ to: UInt64, offset: UInt32) -> UnwindRegion {
        UnwindRegion(start: Self.base + from, end: Self.base + to, rules: .table(4, offset: offset))
    }

    @Test("a segment's mapping, to the end of its last page; a part of it")
    func segment() throws {
        let image = image([(0x1000, 0x1000, 0x2801)])
        #expect(
            regions(try mapping(Self.base, 0x3000, offset: 0x1000), image) == [region(0, 0x3000, offset: 0)])
        #expect(
            regions(try mapping(Self.base, 0x1000, offset: 0x2000), image) == [region(0, 0x1000, offset: 0x1000)])
        // linked elsewhere than it lies in the file
        let moved = self.image([(0x1800, 0x21800, 0x100)])
        #expect(
            regions(try mapping(Self.base, 0x1000, offset: 0x1000), moved, start: 0x20000, length: 0x2000)
                == [region(0, 0x1000, offset: 0x1000)])
    }

    @Test("a file mapped whole: only its code has rules")
    func whole() throws {
        let image = image([(0x1000, 0x1000, 0x1000), (0x4000, 0x3000, 0x800)])
        #expect(
            regions(try mapping(Self.base, 0x8000), image) == [
                region(0x1000, 0x2000, offset: 0), region(0x4000, 0x5000, offset: 0x2000),
            ])
        #expect(regions(try mapping(Self.base, 0x1000), image).isEmpty)
        #expect(regions(try mapping(Self.base, 0x1000, offset: 0x5000), image).isEmpty)
    }

    @Test("segments that share a page: the first has it, and no two regions overlap")
    func shared() throws {
        let image = image([(0x1000, 0x1000, 0x800), (0x1800, 0x2800, 0x1000)])
        #expect(
            regions(try mapping(Self.base, 0x2000, offset: 0x1000), image) == [
                region(0, 0x1000, offset: 0), region(0x1000, 0x2000, offset: 0x2000),
            ])
    }

    @Test("a mapping longer than the table ends with it; one outside of it has no region")
    func clipped() throws {
        let image = image([(0x1000, 0x1000, 0x3000)])
        let mapping = try mapping(Self.base, 0x3000, offset: 0x1000)
        #expect(regions(mapping, image, length: 0x1400) == [region(0, 0x1400, offset: 0)])
        #expect(regions(mapping, image, start: 0x2000).isEmpty)
        #expect(regions(mapping, image, start: 0, length: 0x1000).isEmpty)
    }

    @Test("headers that make no sense give no region")
    func hostile() throws {
        let mapping = try mapping(Self.base, 0x3000, offset: 0x1000)
        #expect(regions(mapping, image([(0x1800, 0x10, 0x100)])).isEmpty)
        #expect(regions(mapping, image([(UInt64.max - 0x10, .max, .max), (.max, 0x1000, 1)])).isEmpty)
        #expect(regions(mapping, image([(0x1000, UInt64.max & ~0xfff, .max)])).isEmpty)
        #expect(regions(mapping, image([(0x1000, 0x1000, 0)])).isEmpty)
        let all = regions(mapping, image([(0x1000, 0x1000, .max)]))
        #expect(all == [region(0, 0x3000, offset: 0)])
    }

    @Test("a JIT's mappings are one where they touch; never one with a table or the trampoline")
    func pointers() throws {
        var regions = UnwindRegions()
        regions.addWithoutTable(try mapping(0x1000, 0x1000))
        regions.addWithoutTable(try mapping(0x2000, 0x1000))
        regions.addWithoutTable(try mapping(0x4000, 0x1000))
        regions.addTrampoline(try mapping(0x5000, 0x1000))
        regions.addWithoutTable(try mapping(0x6000, 0x1000))
        #expect(
            regions.regions == [
                UnwindRegion(start: 0x1000, end: 0x3000, rules: .framePointers),
                UnwindRegion(start: 0x4000, end: 0x5000, rules: .framePointers),
                UnwindRegion(start: 0x5000, end: 0x6000, rules: .none),
                UnwindRegion(start: 0x6000, end: 0x7000, rules: .framePointers),
            ])
    }
}
