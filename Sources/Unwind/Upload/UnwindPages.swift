// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// A process's mappings as the programs look them up (TraceRecords/unwind_table.h): pages of `UNWIND_PAGE_MAPPINGS`, the
/// first of which has where each page begins.
struct UnwindPages {
    static let pageMappings = Int(UNWIND_PAGE_MAPPINGS)
    /// The most that a process may have; the programs know nothing of those beyond.
    static let mostMappings = pageMappings * Int(UNWIND_PAGES)

    /// How many pages a number of mappings takes: one even where there is none.
    static func count(mappings: Int) -> Int {
        max(1, (min(mappings, mostMappings) + pageMappings - 1) / pageMappings)
    }

    /// By number.
    let pages: [unwind_page]

    /// - Parameters:
    ///   - mappings: by address; those beyond `mostMappings` are left out.
    ///   - generation: of this reading, the same in all its pages.
    init(_ mappings: [unwind_mapping], pid: UInt32, generation: UInt32) {
        let mappings = mappings.prefix(Self.mostMappings)
        let firsts = stride(from: 0, to: mappings.count, by: Self.pageMappings).map { mappings[$0].start }
        let count = Self.count(mappings: mappings.count)
        pages = (0..<count).map { number in
            let part = mappings.dropFirst(number * Self.pageMappings).prefix(Self.pageMappings)
            var page = unwind_page()
            page.pid = pid
            page.generation = generation
            page.count = UInt32(part.count)
            page.pages = UInt32(count)
            Self.fill(&page.firsts, with: number == 0 ? firsts : [], beyond: .max)
            Self.fill(&page.mappings, with: part, beyond: .nowhere)
            return page
        }
    }

    /// Fills a C array, which Swift sees as a tuple of elements.
    private static func fill<Places, Element: BitwiseCopyable>(
        _ places: inout Places, with elements: some Sequence<Element>, beyond: Element
    ) {
        var elements = elements.makeIterator()
        withUnsafeMutableBytes(of: &places) { bytes in
            for offset in stride(from: 0, to: bytes.count, by: MemoryLayout<Element>.stride) {
                bytes.storeBytes(of: elements.next() ?? beyond, toByteOffset: offset, as: Element.self)
            }
        }
    }
}

extension unwind_mapping {
    /// Behind the last: no address lies there.
    fileprivate static var nowhere: unwind_mapping {
        var mapping = unwind_mapping()
        mapping.start = .max
        mapping.end = .max
        return mapping
    }

    /// - Parameter rulesBlock: where the rules of a table begin that the programs have; nil for one that they don't have,
    ///   whose code is walked by frame pointers.
    init(_ region: UnwindRegion, rulesBlock: (UnwindTables.ID) -> UInt32?) {
        self.init()
        start = region.start
        end = region.end
        switch region.rules {
        case .framePointers: break
        case .none: table = UInt32(UNWIND_NO_CODE)
        case .table(let id, let offset):
            guard let block = rulesBlock(id) else { break }
            table = UInt32(id)
            self.offset = offset
            rules = block
        }
    }
}
