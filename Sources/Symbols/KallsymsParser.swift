// SPDX-License-Identifier: Apache-2.0

/// Reads lines such as `ffffffffc0203000 t ext4_readpage\t[ext4]` (kernel/kallsyms.c, `s_show`).
struct KallsymsParser {
    var entries: [KernelSymbols.Entry] = []
    var names: [UInt8] = []
    var modules: [String] = []
    /// True while addresses only grow; the kernel image comes sorted, modules don't.
    var isSorted = true
    /// A well-formed line with address 0 was met.
    var sawHidden = false

    private var moduleIndices: [String: UInt16] = [:]
    private var lastModule: [UInt8] = []
    private var lastModuleIndex: UInt16 = 0

    init() {
        entries.reserveCapacity(1 << 17)
        names.reserveCapacity(1 << 22)
    }

    /// Takes every complete line; gives the number of bytes used.
    mutating func parseLines(of text: Span<UInt8>) -> Int {
        var start = 0
        for index in text.indices where text[index] == UInt8(ascii: "\n") {
            parse(line: text.extracting(start..<index))
            start = index + 1
        }
        return start
    }

    /// Takes one line, or leaves it out when it is no code symbol.
    mutating func parse(line: Span<UInt8>) {
        var address: UInt64 = 0
        var index = 0
        while index < line.count, let digit = hexDigit(line[index]) {
            guard index < 16 else { return }
            address = address << 4 | UInt64(digit)
            index += 1
        }
        guard index > 0, line.count > index + 3, line[index] == UInt8(ascii: " "), line[index + 2] == UInt8(ascii: " ")
        else { return }
        // Code only: text and weak text. `w` may be an undefined weak symbol, whose address is then 0.
        switch line[index + 1] | 0x20 {
        case UInt8(ascii: "t"), UInt8(ascii: "w"): break
        default: return
        }
        guard address != 0 else {
            sawHidden = true
            return
        }

        let nameStart = index + 3
        var nameEnd = nameStart
        while nameEnd < line.count, line[nameEnd] > UInt8(ascii: " ") { nameEnd += 1 }
        let length = nameEnd - nameStart
        guard length > 0, length <= 4096, names.count + length <= Int(UInt32.max) else { return }

        if let last = entries.last, last.address > address { isSorted = false }
        entries.append(
            .init(
                address: address, nameOffset: UInt32(names.count), nameLength: UInt16(length),
                module: module(in: line.extracting(nameEnd..<line.count))))
        names.append(copying: line.extracting(nameStart..<nameEnd))
    }

    /// The number of the module in `\t[name]`; 0 where there is none.
    private mutating func module(in rest: Span<UInt8>) -> UInt16 {
        guard rest.count > 3, rest[1] == UInt8(ascii: "["), rest[rest.count - 1] == UInt8(ascii: "]") else { return 0 }
        let name = rest.extracting(2..<(rest.count - 1))
        if lastModule.span.equals(name) { return lastModuleIndex }
        lastModule.removeAll(keepingCapacity: true)
        lastModule.append(copying: name)
        let string = String(decoding: lastModule, as: UTF8.self)
        if let known = moduleIndices[string] {
            lastModuleIndex = known
        } else if modules.count < Int(UInt16.max) {
            modules.append(string)
            lastModuleIndex = UInt16(modules.count)
            moduleIndices[string] = lastModuleIndex
        } else {
            lastModuleIndex = 0
        }
        return lastModuleIndex
    }
}
