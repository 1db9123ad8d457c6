// SPDX-License-Identifier: Apache-2.0

/// An ELF file byte by byte, of either class and order: for what no assembler of this machine makes.
struct MadeELF {
    struct Section {
        var name: String
        var type: UInt32
        var flags: UInt64 = 0
        var address: UInt64 = 0
        /// In the file; of a section of symbols, made of them.
        var bytes: [UInt8] = []
        var link: UInt32 = 0
    }

    struct Symbol {
        var name: UInt32
        var info: UInt8
        var section: UInt16
        var value: UInt64
        var size: UInt64 = 0
    }

    var isWide = true
    var isLittle = true
    var machine: UInt16 = 62
    var sections: [Section] = []

    func number(_ value: UInt64, _ width: Int) -> [UInt8] {
        (0..<width).map { index in
            UInt8(truncatingIfNeeded: value >> UInt64(8 * (isLittle ? index : width - 1 - index)))
        }
    }

    private func word(_ value: UInt64) -> [UInt8] { number(value, isWide ? 8 : 4) }

    func table(_ symbols: [Symbol]) -> [UInt8] {
        var bytes: [UInt8] = []
        for symbol in symbols {
            let place = word(symbol.value) + word(symbol.size)
            let rest = [symbol.info, 0] + number(UInt64(symbol.section), 2)
            bytes += number(UInt64(symbol.name), 4)
            bytes += isWide ? rest : place
            bytes += isWide ? place : rest
        }
        return bytes
    }

    /// Header, one segment, the sections' bytes, their headers; the names of sections are the last section.
    var bytes: [UInt8] {
        let headerSize = isWide ? 64 : 52, segmentSize = isWide ? 56 : 32
        var names: [UInt8] = [0]
        var all = sections
        all.append(Section(name: ".shstrtab", type: 3))
        let starts = all.map { section in
            defer { names += Array(section.name.utf8) + [0] }
            return UInt64(names.count)
        }
        all[all.count - 1].bytes = names
        var body: [UInt8] = []
        var headers = [UInt8](repeating: 0, count: isWide ? 64 : 40)
        for (section, start) in zip(all, starts) {
            while body.count % 8 != 0 { body.append(0) }
            let place = UInt64(headerSize + segmentSize + body.count)
            body += section.bytes
            headers += number(start, 4) + number(UInt64(section.type), 4)
            headers += word(section.flags) + word(section.address)
            headers += word(place) + word(UInt64(section.bytes.count))
            headers += number(UInt64(section.link), 4) + number(0, 4) + word(1) + word(0)
        }
        while body.count % 8 != 0 { body.append(0) }
        let table = UInt64(headerSize + segmentSize + body.count)
        var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, isWide ? 2 : 1, isLittle ? 1 : 2, 1]
        header += [UInt8](repeating: 0, count: 9)
        for (value, width) in [(3, 2), (UInt64(machine), 2), (1, 4)] { header += number(value, width) }
        for value in [0, UInt64(headerSize), table] { header += word(value) }
        header += number(0, 4)
        let counts = [headerSize, segmentSize, 1, isWide ? 64 : 40, all.count + 1, all.count]
        for count in counts { header += number(UInt64(count), 2) }
        var segment = number(1, 4)
        if isWide { segment += number(5, 4) }
        for value in [0, 0, 0, table, table] { segment += word(value) }
        if !isWide { segment += number(5, 4) }
        segment += word(4096)
        return header + segment + body + headers
    }
}
