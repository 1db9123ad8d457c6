// SPDX-License-Identifier: Apache-2.0
package import Symbols
internal import Glibc
internal import SystemLayer
internal import SystemPackage

extension UnwindTable {
    /// The table of a file, made apart from this process where that is to be.
    ///
    /// - Throws: as `init`.
    static func made(_ file: borrowing ELFFile, _ image: ELFImage) throws(SymbolError) -> UnwindTable {
        switch try file.share.reading.place(of: file.path, file.owner()) {
        case .here: try UnwindTable(file, image)
        case .apart: try apart(file, image)
        }
    }

    private static func apart(_ file: borrowing ELFFile, _ image: ELFImage) throws(SymbolError) -> UnwindTable {
        let reading = file.share.reading
        let share = FileShare(reading, onDisk: file.onDisk)
        let owner = file.owner()
        let path = file.path
        func ask(_ descriptor: CInt) throws(SymbolError) -> MessageReader {
            try reading.ask(.unwindTable, MessageWriter(), of: owner, file: descriptor, path: path) {
                share.take($0 * 2)
            }
        }
        var answer: MessageReader
        if file.bytes.descriptor >= 0 {
            answer = try ask(file.bytes.descriptor)
        } else {
            guard let copy = file.bytes.inFile() else { throw .leftOut(path: path.description, reason: .memory) }
            let raw = copy.release()
            defer { close(raw) }
            answer = try ask(raw)
        }
        var header = UnwindCache.Header()
        guard let start = answer.number(), let length = answer.number(), let rulesBlock = answer.number(),
            let rules = answer.number(), let rows = answer.number(), let unreadable = answer.number(),
            let overlapping = answer.number(), let unnumbered = answer.number()
        else { throw .leftOut(path: file.path.description, reason: .parser) }
        header.start = start
        header.length = length
        header.rulesBlock = rulesBlock
        header.rules = rules
        header.rows = rows
        header.unreadable = unreadable
        header.overlapping = overlapping
        header.unnumbered = unnumbered
        // what the kernel's programs read of it stays within it, whatever the words are (BPF/unwind)
        guard let text = text(image), text.lowerBound == start, text.upperBound - text.lowerBound == length,
            let table = UnwindTable(header, words(answer.rest()))
        else { throw .leftOut(path: file.path.description, reason: .parser) }
        return table
    }

    private static func words(_ bytes: ArraySlice<UInt8>) -> [UInt32] {
        [UInt32](unsafeUninitializedCapacity: bytes.count / 4) { words, count in
            bytes.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(words).copyMemory(from: .init(rebasing: $0.prefix(bytes.count / 4 * 4)))
            }
            count = bytes.count / 4
        }
    }

    /// The other end.
    static func answer(_ request: inout ParserRequest) throws(SymbolError) -> MessageWriter {
        guard let opened = request.file.take() else { throw .noUnwindInformation(path: "") }
        let file = try ELFFile(opened, path: "", request.reading)
        let table = try UnwindTable(file, file.image())
        let header = UnwindCache.Header(table)
        var answer = MessageWriter()
        for number in [
            header.start, header.length, header.rulesBlock, header.rules, header.rows, header.unreadable,
            header.overlapping, header.unnumbered,
        ] { answer.add(number) }
        table.words.withUnsafeBytes { answer.append($0) }
        return answer
    }
}

extension ParserService {
    /// Makes unwind tables too.
    package func addUnwinding() { add(.unwindTable, UnwindTable.answer) }
}
