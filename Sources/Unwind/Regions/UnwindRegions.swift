// SPDX-License-Identifier: Apache-2.0
internal import Symbols

/// The regions of one process, as its executable mappings are gone through by address.
struct UnwindRegions {
    private(set) var regions: [UnwindRegion] = []

    /// Code that frame pointers are followed through. A JIT may have thousands of mappings, one behind the other.
    mutating func addWithoutTable(_ mapping: Mapping) {
        if let last = regions.last, last.end == mapping.start, last.rules == .framePointers {
            regions[regions.count - 1] = UnwindRegion(start: last.start, end: mapping.end, rules: .framePointers)
        } else {
            regions.append(UnwindRegion(start: mapping.start, end: mapping.end, rules: .framePointers))
        }
    }

    /// The kernel's own trampoline.
    mutating func addTrampoline(_ mapping: Mapping) {
        regions.append(UnwindRegion(start: mapping.start, end: mapping.end, rules: .none))
    }

    /// The parts of a mapping that hold the file's executable segments.
    mutating func add(_ mapping: Mapping, _ table: UnwindTables.Known, _ image: ELFImage) {
        var position = mapping.start
        for segment in image.segments where segment.isExecutable && segment.fileSize > 0 {
            // The kernel maps whole pages.
            let skew = segment.fileOffset & 4095
            guard segment.address >= skew else { continue }
            let (fileStart, linked) = (segment.fileOffset - skew, segment.address - skew)
            let mapped = mapping.end - mapping.start
            let low = max(fileStart, mapping.fileOffset)
            let high = min(
                segment.fileOffset.addingSaturated(segment.fileSize).addingSaturated(4095) & ~4095,
                mapping.fileOffset.addingSaturated(mapped))
            guard low < high else { continue }
            let start = max(position, mapping.start + (low - mapping.fileOffset))
            let end = mapping.start + (high - mapping.fileOffset)
            let address = linked.addingSaturated(start - mapping.start + mapping.fileOffset - fileStart)
            guard start < end, address >= table.start, address - table.start < table.length else { continue }
            let offset = address - table.start
            regions.append(
                UnwindRegion(
                    start: start, end: min(end, start + (table.length - offset)),
                    rules: .table(table.id, offset: UInt32(offset))))
            position = end
        }
    }
}

extension UInt64 {
    fileprivate func addingSaturated(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
