// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Symbols

@Suite struct PerfMapBoundaryTests {
    private func map(_ text: String) throws -> PerfMap { try PerfMap(text: Array(text.utf8)) }

    private func at(_ address: UInt64, _ map: PerfMap) -> String? {
        map.symbol(address: address).map { "\($0.name)+\($0.offset)" }
    }

    @Test("from the first byte to the last")
    func edges() throws {
        let map = try map("10 10 f\n20 1 g\n")
        #expect(at(0xf, map) == nil && at(0x10, map) == "f+0" && at(0x1f, map) == "f+15")
        #expect(at(0x20, map) == "g+0" && at(0x21, map) == nil && map.count == 2)
    }

    @Test("numbers of sixteen digits, of seventeen, with 0x; names of one letter and of none; spaces before the line")
    func lines() throws {
        #expect(try map("ffffffffffffff00 80 f\n").count == 1 && map("0ffffffffffffff00 80 f\n").count == 0)
        #expect(try map("0x10 0x10 f\n0x 1 f\n x10 1 f\n0 1 z\n").count == 2)
        #expect(try map("10 10 \n10 10\n10\n10 0 f\n10 x f\n10  10 f\n").count == 0)
        #expect(try at(0x10, map("   10 1 a b\n")) == "a b+0")
        #expect(try map("ffffffffffffffff 1 f\n").count == 0 && map("fffffffffffffffe 1 f\n").count == 1)
        #expect(try at(0xffff_ffff, map("0 ffffffffffff f\n")) == nil)
        #expect(try at(0xffff_fffe, map("0 ffffffffffff f\n")) == "f+4294967294")
    }

    @Test("memory is asked for 4096 entries at a time, with what sorting takes, and given back")
    func memory() throws {
        let reading = FileReading()
        do {
            let one = try PerfMap(text: Array("10 10 f\n".utf8), reading)
            #expect(reading.bytes == 4096 * 24 * 3 / 2 && one.count == 1)
            let many = (1...4097).map { "\(String($0 * 16, radix: 16)) 10 f\n" }.joined()
            let more = try PerfMap(text: Array(many.utf8), reading)
            #expect(reading.bytes == 3 * 4096 * 24 * 3 / 2 && more.count == 4097)
        }
        #expect(reading.bytes == 0)
    }

    @Test("a function is found behind seven that lie in it, not behind eight; the later of two alike")
    func nested() throws {
        for (inner, found) in [(7, "outer+80"), (8, nil)] as [(Int, String?)] {
            let lines = (0..<inner).map { "\(String(0x1001 + $0, radix: 16)) 1 inner\($0)\n" }.joined()
            #expect(try at(0x1050, map("1000 100 outer\n" + lines)) == found)
        }
        #expect(try at(0x11, map("10 10 old\n10 10 new\n")) == "new+1")
    }

    @Test("lines across the pieces that are read at once, lines that fill one, and more functions than a block has")
    func pieces() throws {
        var text = ""
        for index in 0..<9000 {
            text += "\(String(0x10000 + index * 16, radix: 16)) 10 function number \(index)\n"
        }
        let map = try map(text)
        #expect(map.count == 9000)
        for index in stride(from: 0, to: 9000, by: 7) {
            #expect(at(0x10000 + UInt64(index) * 16 + 3, map) == "function number \(index)+3")
        }
        for length in [65_527, 65_528, 65_529, 65_530, 70_000, 140_000] {
            let long = try self.map("10 10 " + String(repeating: "n", count: length) + "\n30 10 behind\n")
            #expect(at(0x35, long) == "behind+5" && long.count == 2, "\(length)")
            #expect(long.symbol(address: 0x10)?.name.utf8.count == min(65_530, length), "\(length)")
        }
    }
}
