// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemLayer
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

@Suite struct DwarfLinesTests {
    func lines(_ program: String, _ debug: String? = nil) throws -> DwarfLines {
        let path = FilePath(try Corpus.path(program))
        let file = try ELFFile(path: path)
        let image = try file.image()
        let debugFiles = debug.map { DebugFiles(directory: FilePath(try! Corpus.path($0))) } ?? ELFSymbolsTests.none
        return try DwarfLines(DwarfLines.Origin(file, image, debugFiles: debugFiles))
    }

    /// Every 3rd byte of every function of the program's own, as binutils see it: function, file and line, inlined too.
    @Test(arguments: ["pie", "nopie", "compressed", "dwarf4", "cplusplus", "swift", "rust-v0"])
    func agreesWithAddr2line(program: String) throws {
        guard try Corpus.has(program) else { return try skip("a compiler for \(program)") }
        let path = try Corpus.path(program)
        let lines = try lines(program)
        let own = ["sample", "corpus", "Crate", "Keeper", "Sample", "function", "calls", "main", "Box", "hidden"]
        var addresses: [UInt64] = []
        for (address, function) in try functionSizes(path)
        where function.names.contains(where: { name in own.contains { name.contains($0) } }) {
            addresses += stride(from: address, to: address + function.size, by: 3)
        }
        addresses = Array(addresses.sorted().prefix(3000))
        #expect(addresses.count > 20)
        let list = addresses.map { String($0, radix: 16) }.joined(separator: "\n")
        let input = try TemporaryFile(Array(list.utf8))
        let output = try run("addr2line -a -i -f -e '\(path)' < \(input.path)").split(separator: "\n")
        var wanted: [UInt64: [(name: Substring, place: Substring)]] = [:]
        var current: UInt64 = 0
        var index = 0
        while index < output.count {
            if output[index].hasPrefix("0x"), let address = UInt64(output[index].dropFirst(2), radix: 16) {
                current = address
                index += 1
            } else {
                wanted[current, default: []].append((output[index], output[index + 1]))
                index += 2
            }
        }
        var (compared, inlined, differing) = (0, 0, 0)
        for address in addresses {
            let theirs = try #require(wanted[address]).filter { !$0.place.hasPrefix("?") && !$0.place.contains(":?") }
            let ours = lines.scopes(address: address).filter { $0.source != nil }
            guard !theirs.isEmpty, !ours.isEmpty else { continue }
            compared += 1
            if ours.count > 1 { inlined += 1 }
            // addr2line prints `file:line (discriminator n)`.
            let a = theirs.map { "\($0.place.split(separator: " ")[0].split(separator: "/").last ?? "")" }
            let b = ours.map { "\(($0.source?.file ?? "").split(separator: "/").last ?? ""):\($0.source?.line ?? 0)" }
            if a != b {
                differing += 1
                if differing < 4 { print(program, String(address, radix: 16), a, b) }
            }
        }
        print("\(program): \(compared) addresses compared, \(inlined) with inlined functions, \(differing) differ")
        #expect(compared > 20)
        #expect(differing == 0)
    }

    @Test func inlinedChain() throws {
        let source = Corpus.sources + "/sample.c"
        let text = String(decoding: try OpenFile(reading: FilePath(source)).readAll(limit: 1 << 16), as: UTF8.self)
        func line(_ mark: String) throws -> Int {
            try #require(
                text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex {
                    $0.hasSuffix("// LINE \(mark)")
                }) + 1
        }
        let table = try functionSizes(try Corpus.path("pie"))
        let function = try #require(table.first { $0.value.names.contains("calls_inlined") })
        let lines = try lines("pie")
        let deepest = (function.key..<(function.key + function.value.size)).map { lines.scopes(address: $0) }.first {
            $0.count == 3
        }
        let scopes = try #require(deepest)
        #expect(scopes.map(\.name) == ["inlined_twice", "inlined_once", "calls_inlined"])
        #expect(scopes.map(\.isInlined) == [true, true, false])
        #expect(scopes.map(\.source?.line) == [try line("inner"), try line("middle"), try line("outer")])
        #expect(scopes.allSatisfy { $0.source?.file == source })
    }

    @Test func throughDebugFile() throws {
        let address = try #require(try nm(try Corpus.path("pie")).first { $0.value.contains("main") }).key
        let whole = try lines("pie").scopes(address: address)
        #expect(whole.last?.name == "main")
        #expect(try lines("stripped", "debugroot").scopes(address: address).map(\.source) == whole.map(\.source))
    }

    @Test func withoutDebugInformation() throws {
        let path = try Corpus.path("stripped")
        #expect(throws: SymbolError.noDWARF(reason: "\(path) has no debug information, nor a separate debug file")) {
            _ = try lines("stripped")
        }
        var options = ProcessSymbolizer.Options()
        options.lines = true
        options.debugDirectory = "/nonexistent"
        let symbolizer = ProcessSymbolizer(options: options)
        let target = try Spawned([path])
        try symbolizer.load(process: target.pid)
        #expect(symbolizer.lineErrors.contains { "\($0)".contains("stripped has no debug information") })
    }

    /// Where a file's section headers stand, and each one's type and flags.
    private func sections(_ bytes: [UInt8]) -> [(header: Int, type: UInt32, flags: UInt64)] {
        bytes.withUnsafeBytes { raw in
            let start = Int(raw.loadUnaligned(fromByteOffset: 0x28, as: UInt64.self))
            let count = Int(raw.loadUnaligned(fromByteOffset: 0x3c, as: UInt16.self))
            return (0..<count).map { index in
                let header = start + index * 64
                return (
                    header, raw.loadUnaligned(fromByteOffset: header + 4, as: UInt32.self),
                    raw.loadUnaligned(fromByteOffset: header + 8, as: UInt64.self)
                )
            }
        }
    }

    @Test(
        "debug sections of more than there is room for aren't read; what a program loads doesn't count",
        arguments: [true, false])
    func tooMuch(isLoaded: Bool) throws {
        var bytes = try OpenFile(reading: FilePath(try Corpus.path("pie"))).readAll(limit: 1 << 24)
        let (progbits, alloc, writable) = (UInt32(1), UInt64(2), UInt64(1))
        let section = try #require(
            sections(bytes).first { $0.type == progbits && $0.flags == (isLoaded ? alloc | writable : 0) })
        bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: 1 << 32, toByteOffset: section.header + 0x20, as: UInt64.self)
        }
        let sparse = try TemporaryFile(bytes)
        try #require(sparse.path.withPlatformString { truncate($0, 1 << 33) } == 0)
        var refusal: SymbolError?
        do throws(SymbolError) {
            let file = try ELFFile(path: sparse.path)
            let image = try file.image()
            _ = try DwarfLines(DwarfLines.Origin(file, image, debugFiles: ELFSymbolsTests.none))
        } catch {
            refusal = error
        }
        #expect(refusal == (isLoaded ? nil : .leftOut(path: sparse.path.description, reason: .memory)))
    }

    @Test func inAProcess() throws {
        var options = ProcessSymbolizer.Options()
        options.lines = true
        let symbolizer = ProcessSymbolizer(options: options)
        let target = try Spawned([try Corpus.path("pie")])
        let start = try #require(target.addresses["calls_inlined"])
        let all = (0..<UInt64(40)).map {
            symbolizer.frames(address: start + $0, isReturnAddress: false, process: target.pid)
        }
        let frames = try #require(all.first { $0.count == 3 })
        #expect(frames.map(\.symbol) == ["inlined_twice", "inlined_once", "calls_inlined"])
        #expect(frames.map(\.isInlined) == [true, true, false])
        #expect(frames[2].offset > 0 && frames[0].offset == 0)
    }

    @Test func hostile() throws {
        for program in ["pie", "compressed", "dwarf4"] {
            let whole = try OpenFile(reading: FilePath(try Corpus.path(program))).readAll(limit: 1 << 24)
            var generator = SplitMix(state: 23)
            for round in 0..<150 {
                var copy = whole
                for _ in 0...(round % 30) {
                    copy[Int.random(in: 0x3000..<copy.count, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                do throws(SymbolError) {
                    let file = try ELFFile(bytes: copy, name: "damaged")
                    let image = try file.image()
                    let lines = try DwarfLines(DwarfLines.Origin(file, image, debugFiles: ELFSymbolsTests.none))
                    for address in stride(from: UInt64(0x1000), to: 0x1400, by: 7) {
                        #expect(lines.scopes(address: address).count < 1000)
                    }
                } catch {
                    #expect(!error.description.isEmpty)
                }
            }
        }
    }
}
