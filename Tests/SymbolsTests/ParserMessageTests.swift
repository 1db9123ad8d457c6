// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import Testing

@testable import Symbols

/// What the tracer takes in of an answer, be it from whoever has taken the process over.
@Suite struct ParserMessageTests {
    private func message(_ make: (inout MessageWriter) -> Void) -> [UInt8] {
        var writer = MessageWriter()
        make(&writer)
        return writer.bytes
    }

    @Test("what was written is read, to the end")
    func whole() {
        let bytes = message {
            $0.add(UInt64.max)
            $0.add("naïve")
            $0.add(String?.none)
            $0.add(String?.some(""))
            $0.add([UInt8](repeating: 7, count: 3))
        }
        var reader = MessageReader(bytes)
        #expect(reader.number() == .max && reader.text(most: 6) == "naïve")
        #expect(reader.optionalText(most: 0) == .some(nil) && reader.optionalText(most: 0) == .some(""))
        #expect(!reader.isAtEnd && reader.data(most: 3) == [7, 7, 7] && reader.isAtEnd)
        #expect(reader.number() == nil && reader.text(most: 9) == nil && reader.rest().isEmpty)
    }

    @Test("cut off anywhere: nothing is read beyond the end")
    func cut() {
        let bytes = message { $0.add("12345678") }
        for length in bytes.indices {
            var reader = MessageReader(Array(bytes[..<length]))
            #expect(reader.text(most: 100) == nil)
        }
    }

    @Test("longer than agreed to, a length beyond all memory, bytes that are no UTF-8, a mark that is none")
    func wild() {
        let text = message { $0.add("12345678") }
        var reader = MessageReader(text)
        #expect(reader.text(most: 7) == nil)
        for length in [UInt64.max, 1 << 63, UInt64(Int64.max), 9] {
            var reader = MessageReader(message { $0.add(length) } + [1, 2, 3, 4, 5, 6, 7, 8])
            #expect(reader.data(most: .max) == nil)
        }
        reader = MessageReader(message { $0.add([0xff, 0x41] as [UInt8]) })
        #expect(reader.text(most: 2) == "\u{fffd}A")
        reader = MessageReader(message { $0.add(2) })
        #expect(reader.optionalText(most: 8) == nil)
    }

    @Test("errors come through, under the asker's path; others are left out for the process's sake")
    func errors() {
        let path = "/x"
        let all: [(SymbolError, SymbolError)] = [
            (.leftOut(path: "", reason: .time), .leftOut(path: path, reason: .time)),
            (.leftOut(path: "", reason: .memory), .leftOut(path: path, reason: .memory)),
            (.noDWARF(reason: "none"), .noDWARF(reason: "none")),
            (.noUnwindInformation(path: ""), .noUnwindInformation(path: path)),
            (.malformedELF(path: "", reason: "bad"), .malformedELF(path: path, reason: "bad")),
        ]
        for (sent, wanted) in all {
            var reader = MessageReader(message { sent.write(to: &$0) })
            #expect(SymbolError(&reader, path: path) == wanted && reader.isAtEnd)
        }
        for code in [UInt64(0), 6, .max] {
            var reader = MessageReader(message { $0.add(code) })
            #expect(SymbolError(&reader, path: path) == nil)
        }
    }

    @Test("what another process spends on a file counts as the file's time")
    func time() throws {
        var limits = FileReading.Limits()
        limits.fileTime = .seconds(3)
        let reading = FileReading(limits: limits)
        var status = stat()
        status.st_ino = 5
        let file = FileIdentity(status)
        #expect(reading.timeLeft == nil)
        try reading.timed(file) { () throws(SymbolError) in
            reading.charge(.seconds(1))
            let left = reading.timeLeft ?? .zero
            #expect(left > .milliseconds(1500) && left <= .seconds(2) && !reading.isSpent)
        }
        try reading.timed(file) { () throws(SymbolError) in
            let left = reading.timeLeft ?? .zero
            #expect(left > .milliseconds(1500) && left <= .seconds(2))
            reading.charge(.seconds(2))
            #expect(reading.isSpent && reading.timeLeft == .zero)
        }
    }

    @Test("without such processes everything is interpreted here; a question finds nobody")
    func here() throws {
        let reading = FileReading()
        #expect(try reading.place(of: "/x", .user(7)) == .here)
        #expect(throws: SymbolError.leftOut(path: "/x", reason: .parser)) {
            _ = try reading.ask(.demangle, MessageWriter(), of: .system, path: "/x")
        }
    }

    @Test("the answers of the other end: names, what is none, what is cut off")
    func answers() throws {
        func answer(_ bytes: [UInt8]) -> String?? {
            var request = ParserRequest(message: MessageReader(bytes), file: nil, reading: FileReading())
            var reader = MessageReader(Demangler.answer(&request).bytes)
            return reader.optionalText(most: 1 << 16)
        }
        #expect(answer(message { $0.add("_ZN4shop4fillEi") }) == .some("shop::fill(int)"))
        #expect(answer(message { $0.add("_ZN4shop4fillE!") }) == .some(nil))
        #expect(answer([1, 2, 3]) == .some(nil))
        var request = ParserRequest(message: MessageReader([]), file: nil, reading: FileReading())
        #expect(try DebugFiles.answer(&request).bytes.isEmpty)
        #expect(throws: SymbolError.noDWARF(reason: "no file")) {
            var request = ParserRequest(message: MessageReader([]), file: nil, reading: FileReading())
            _ = try LineService().open(&request)
        }
        var reader = MessageReader(LineService().scopes(&request).bytes)
        #expect(reader.number() == 0 && reader.number() == 0 && reader.isAtEnd)
    }
}
