// SPDX-License-Identifier: Apache-2.0
internal import CUnwind
internal import Symbols
internal import Glibc

/// Code that a file's call-frame information says nothing of: what the Swift compiler makes by itself (metadata accessors,
/// value witnesses), assembly. Its frames follow from its instructions (CUnwind/code_rows.c), where these leave no doubt.
enum UnwindGaps {
    /// Fewer bytes can't call anything: they are padding.
    static let smallest: UInt64 = 10
    /// Bytes of one file that are looked at; the rest stays without rules.
    static let most = 1 << 23

    /// Rows by address, none of which overlaps `covered`, which is sorted by start.
    static func rows(
        _ file: borrowing ELFFile, _ image: ELFImage, between covered: UnsafeBufferPointer<unwind_row>
    ) -> [unwind_row] {
        guard image.machine == EM_X86_64 else { return [] }
        var pieces: [unwind_code] = []
        var (total, index, position) = (0, 0, UInt64(0))
        for section in sections(file) {
            guard let bytes = file.contents(section), let base = bytes.baseAddress else { continue }
            let (start, length) = (section.address, UInt64(bytes.count))
            guard start < 1 << 62 else { continue }
            position = max(position, start)
            let end = start + length
            while position < end, total < most {
                while index < covered.count, covered[index].end <= position { index += 1 }
                let gapEnd = index < covered.count ? min(end, covered[index].start) : end
                if gapEnd > position, gapEnd - position >= smallest {
                    // only the beginning of a longer one is looked at
                    let size = min(gapEnd - position, UInt64(UNWIND_LARGEST_CODE))
                    pieces.append(
                        unwind_code(
                            bytes: (base + Int(position - start)).assumingMemoryBound(to: UInt8.self), size: Int(size),
                            address: position))
                    total += Int(size)
                }
                position = max(gapEnd, index < covered.count ? min(end, covered[index].end) : end)
            }
        }
        guard total > 0 else { return [] }
        return [unwind_row](unsafeUninitializedCapacity: total / 2 + 1) { rows, count in
            guard let to = rows.baseAddress else { return }
            // SAFETY: the pieces lie in libelf's data, which lives as long as `file`; `rows` has room for its count.
            count = pieces.withUnsafeBufferPointer { all in
                all.baseAddress.map { unwind_code_rows($0, all.count, to, rows.count) } ?? 0
            }
        }
    }

    /// Sections of code, by address.
    private static func sections(_ file: borrowing ELFFile) -> [ELFFile.Section] {
        var sections: [ELFFile.Section] = []
        file.forEachSection { section in
            if section.isCode { sections.append(section) }
            return sections.count < 64
        }
        return sections.sorted { $0.address < $1.address }
    }
}
