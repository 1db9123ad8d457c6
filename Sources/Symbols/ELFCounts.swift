// SPDX-License-Identifier: Apache-2.0
import Glibc

/// How many headers an ELF file says to have, asked before libelf is: it allocates room for each.
struct ELFCounts {
    let sections: UInt64
    let segments: UInt64

    /// Real files have some forty sections and a dozen segments.
    static let mostSections = 8192
    static let mostSegments = 4096

    var isModest: Bool { sections <= Self.mostSections && segments <= Self.mostSegments }

    /// nil where there is no ELF header.
    init?(_ bytes: FileBytes) {
        guard let magic = bytes.number(at: 0, as: UInt32.self, isLittle: true), magic == 0x464c_457f,
            let kind = bytes.number(at: 4, as: UInt16.self, isLittle: true)
        else { return nil }
        let isWide = kind & 0xff == ELFCLASS64
        let isLittle = kind >> 8 == ELFDATA2LSB
        func half(_ offset: UInt64) -> UInt64? {
            bytes.number(at: offset, as: UInt16.self, isLittle: isLittle).map(UInt64.init)
        }
        func long(_ offset: UInt64) -> UInt64? {
            isWide
                ? bytes.number(at: offset, as: UInt64.self, isLittle: isLittle)
                : bytes.number(at: offset, as: UInt32.self, isLittle: isLittle).map(UInt64.init)
        }
        guard let table = long(isWide ? 40 : 32), var segments = half(isWide ? 56 : 44),
            var sections = half(isWide ? 60 : 48)
        else { return nil }
        // Larger numbers stand in the first section's header, which is none.
        if sections == 0, table != 0 { sections = long(table &+ (isWide ? 32 : 20)) ?? 0 }
        if segments == UInt64(PN_XNUM) {
            segments =
                bytes.number(at: table &+ (isWide ? 44 : 28), as: UInt32.self, isLittle: isLittle).map(UInt64.init) ?? 0
        }
        self.sections = sections
        self.segments = segments
    }
}
