// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

@testable import Symbols

@Suite struct PerfMapTests {
    @Test func looksUp() throws {
        let map = try PerfMap(
            text: Array(
                """
                7f0000000100 40 LazyCompile:*go /app/x y.js:3
                0x7f0000000200 0x10 prefixed
                7f0000000100 40 compiled_again
                7f0000000300 0 empty
                ffffffffffffffff 10 wraps
                7f0000000400
                7f0000000400 10
                garbage here
                7f0000000500 20 last
                """.utf8))
        #expect(map.count == 4)
        #expect(map.symbol(address: 0x7f00_0000_0110)?.name == "compiled_again")
        #expect(map.symbol(address: 0x7f00_0000_0110)?.offset == 0x10)
        #expect(map.symbol(address: 0x7f00_0000_020f)?.name == "prefixed")
        #expect(map.symbol(address: 0x7f00_0000_0210) == nil)
        #expect(map.symbol(address: 0x7f00_0000_0300) == nil)
        #expect(map.symbol(address: 0x7f00_0000_051f)?.name == "last")
        #expect(map.symbol(address: 0) == nil)
        #expect(map.symbol(address: .max) == nil)
    }

    @Test func spacesStayInNames() throws {
        let map = try PerfMap(text: Array("1000 10 a b  c\n".utf8))
        #expect(map.symbol(address: 0x1000)?.name == "a b  c")
    }

    @Test func hostile() throws {
        #expect(try PerfMap(text: []).count == 0)
        var generator = SplitMix(state: 23)
        for _ in 0..<200 {
            let noise = (0..<2048).map { _ in
                Array("0123456789abcdef xX\n\u{ff}".utf8).randomElement(using: &generator) ?? 0
            }
            let map = try PerfMap(text: noise)
            for address in [0, 1, 0x10, .max] as [UInt64] { _ = map.symbol(address: address) }
        }
        let long = try PerfMap(text: Array("1000 10 ".utf8) + Array(repeating: UInt8(ascii: "n"), count: 1 << 20))
        #expect(long.symbol(address: 0x1000)?.name.utf8.count == (1 << 16) - 8)
    }

    @Test func ofAProcess() throws {
        let path = "/tmp/perf-\(getpid()).map"
        let file = try #require(fopen(path, "w"))
        fputs("1000 10 jitted\n", file)
        fclose(file)
        defer { unlink(path) }
        let map = load(getpid())
        #expect(map.symbol(address: 0x1008)?.name == "jitted")
        guard getuid() == 0 else { return try skip("root, to give a file away") }
        // Somebody else's file in /tmp isn't believed.
        try #require(chown(path, 65534, 65534) == 0)
        #expect(load(getpid()).count == 0)
    }

    private func load(_ pid: Int32) -> PerfMapFile {
        let map = PerfMapFile(pid: pid, FileReading())
        map.load()
        return map
    }

    @Test func absent() { #expect(load(-1).count == 0) }

    @Test("lines longer than what is read at a time, and lines that end where it ends")
    func pieces() throws {
        var text: [UInt8] = []
        for index in 1...20_000 { text += Array("\(String(index * 16, radix: 16)) 10 f\(index)\n".utf8) }
        text += Array("1000000 10 ".utf8) + Array(repeating: UInt8(ascii: "n"), count: 200_000)
        text += Array("\n2000000 10 behind\n3000000 10 last".utf8)
        let map = try PerfMap(text: text)
        #expect(map.count == 20_003)
        for index in stride(from: 1, through: 20_000, by: 37) {
            #expect(map.symbol(address: UInt64(index * 16 + 3))?.name == "f\(index)")
        }
        #expect(map.symbol(address: 0x100_0000)?.name.utf8.count == 65_525)
        #expect(map.symbol(address: 0x200_0000)?.name == "behind")
        #expect(map.symbol(address: 0x300_0000)?.name == "last")
    }

    @Test("a link is not followed")
    func link() throws {
        let (path, other) = ("/tmp/perf-\(getpid()).map", "/tmp/perf-elsewhere-\(getpid())")
        let file = try #require(fopen(other, "w"))
        fputs("1000 10 secret\n", file)
        fclose(file)
        unlink(path)
        try #require(symlink(other, path) == 0)
        defer {
            unlink(path)
            unlink(other)
        }
        #expect(load(getpid()).count == 0)
    }
}
