// SPDX-License-Identifier: Apache-2.0
// What the tracer itself reads of others' files, in Swift: headers, notes and tables of ELF files, perf maps, answers of
// the processes that interpret the rest. A trap of Swift's (an index, an overflow) would end a run: here it ends this one.
// Compiled together with the module Symbols. The first byte of the input chooses the reader.
internal import SystemPackage

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let data, size > 0 else { return 0 }
    // SAFETY: libFuzzer's, `size` bytes long until this returns.
    let input = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
    switch data[0] % 4 {
    case 0: readTables(input)
    case 1: readHeaders(input)
    case 2: readText(input)
    default: readMessage(input)
    }
    return 0
}

private let addresses: [UInt64] = [0, 1, 0x1000, 0x401000, 1 << 32, 1 << 63, .max]

private func readTables(_ input: [UInt8]) {
    guard let table = try? ELFSymbols(image: input, name: "fuzz") else { return }
    for entry in table.entries.prefix(64) { _ = table.symbol(address: entry.address) }
    for address in addresses {
        _ = table.symbol(address: address)
        _ = table.image.address(fileOffset: address)
        _ = table.image.fileOffset(address: address)
    }
}

private func readHeaders(_ input: [UInt8]) {
    guard let file = try? ELFFile(bytes: input, name: "fuzz") else { return }
    _ = file.owner()
    let nowhere = DebugFiles(directory: "/nonexistent", roots: [])
    _ = try? ELFSymbols.functionOffsets(named: ["malloc", "main", "free@GLIBC_2.2.5"], file, debugFiles: nowhere)
}

private func readText(_ input: [UInt8]) {
    if let map = try? PerfMap(text: input) {
        for address in addresses { _ = map.symbol(address: address) }
    }
    if let symbols = try? KernelSymbols(kallsyms: input) {
        for address in addresses { _ = symbols.name(for: address) }
    }
}

private func readMessage(_ input: [UInt8]) {
    var reader = MessageReader(input)
    while let kind = reader.number() {
        switch kind % 4 {
        case 0: _ = reader.data(most: 1 << 16)
        case 1: _ = reader.text(most: 1 << 16)
        case 2: _ = reader.optionalText(most: 1 << 16)
        default: _ = SymbolError(&reader, path: "fuzz")
        }
    }
    _ = reader.rest()
}
