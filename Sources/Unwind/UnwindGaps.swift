// SPDX-License-Identifier: Apache-2.0
internal import CSymbols
internal import CUnwind
internal import Symbols
internal import Glibc

/// Code that a file's call-frame information says nothing of: what the Swift compiler makes by itself (metadata accessors,
/// value witnesses), assembly. Its frames are told from its instructions (CUnwind/frames.c), where there is no doubt.
enum UnwindGaps {
    /// Less can't call anything: it is padding.
    private static let smallest: UInt64 = 10
    /// Of one file; what is beyond stays without rules.
    private static let most = 1 << 23

    /// Rows by address, none of which overlaps `covered`, which is sorted by start.
    static func rows(
        _ file: borrowing ELFFile, _ image: ELFImage, between covered: UnsafeBufferPointer<cunwind_cfi_row>
    ) -> [cunwind_cfi_row] {
        guard image.machine == EM_X86_64 else { return [] }
        var stretches: [code_stretch] = []
        var (total, index, position) = (0, 0, UInt64(0))
        for section in sections(file) {
            guard let bytes = file.contents(section), let base = bytes.baseAddress else { continue }
            let (start, length) = (section.header.sh_addr, UInt64(bytes.count))
            guard start < 1 << 62 else { continue }
            position = max(position, start)
            let end = start + length
            while position < end, total < most {
                while index < covered.count, covered[index].end <= position { index += 1 }
                let gapEnd = index < covered.count ? min(end, covered[index].start) : end
                if gapEnd > position, gapEnd - position >= smallest {
                    // a longer one is looked at in its beginning
                    let size = min(gapEnd - position, UInt64(LARGEST_STRETCH))
                    stretches.append(
                        code_stretch(
                            code: (base + Int(position - start)).assumingMemoryBound(to: UInt8.self), size: Int(size),
                            address: position))
                    total += Int(size)
                }
                position = max(gapEnd, index < covered.count ? min(end, covered[index].end) : end)
            }
        }
        guard total > 0 else { return [] }
        let found = [code_row](unsafeUninitializedCapacity: total / 2 + 1) { rows, count in
            guard let to = rows.baseAddress else { return }
            // SAFETY: stretches lie in libelf's data, which lives as long as `file`; `rows` has room for its count.
            count = stretches.withUnsafeBufferPointer { all in
                all.baseAddress.map { code_frames($0, all.count, to, rows.count) } ?? 0
            }
        }
        return found.map { cunwind_cfi_row(start: $0.start, end: $0.end, rule: $0.rule) }
    }

    /// Sections of code, by address.
    private static func sections(_ file: borrowing ELFFile) -> [ELFFile.Section] {
        var sections: [ELFFile.Section] = []
        file.forEachSection { section in
            let flags = UInt64(SHF_EXECINSTR) | UInt64(SHF_ALLOC)
            if section.header.sh_type == SHT_PROGBITS, section.header.sh_flags & flags == flags {
                sections.append(section)
            }
            return sections.count < 64
        }
        return sections.sorted { $0.header.sh_addr < $1.header.sh_addr }
    }
}
