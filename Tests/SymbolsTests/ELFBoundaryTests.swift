// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemLayer
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

@Suite struct ELFImageAddresses {
    private func image(_ segments: [(UInt64, UInt64, UInt64, Bool)]) -> ELFImage {
        ELFImage(
            isFixed: false, machine: 62,
            segments: segments.map {
                ELFImage.Segment(fileOffset: $0.0, address: $0.1, fileSize: $0.2, isExecutable: $0.3)
            }, buildID: nil, debugLink: nil)
    }

    @Test("the first and the last byte of a segment, and those beside it")
    func edges() {
        let image = image([(0x1000, 0x21000, 0x100, true)])
        #expect(image.address(fileOffset: 0xfff) == nil && image.address(fileOffset: 0x1000) == 0x21000)
        #expect(image.address(fileOffset: 0x10ff) == 0x210ff && image.address(fileOffset: 0x1100) == nil)
        #expect(image.fileOffset(address: 0x20fff) == nil && image.fileOffset(address: 0x21000) == 0x1000)
        #expect(image.fileOffset(address: 0x210ff) == 0x10ff && image.fileOffset(address: 0x21100) == nil)
    }

    @Test("of segments that share a page, the executable one; else the first")
    func shared() {
        let (data, code) = (
            (UInt64(0), UInt64(0x1000), UInt64(0x200), false), (UInt64(0), UInt64(0x9000), UInt64(0x200), true)
        )
        #expect(image([data, code]).address(fileOffset: 0x10) == 0x9010)
        #expect(image([code, data]).address(fileOffset: 0x10) == 0x9010)
        let other = (UInt64(0), UInt64(0x5000), UInt64(0x200), false)
        #expect(image([data, other]).address(fileOffset: 0x10) == 0x1010)
        #expect(image([]).address(fileOffset: 0) == nil)
    }

    @Test("a build-id in hexadecimal, two digits a byte")
    func buildID() {
        #expect(BuildID(bytes: [0, 1, 15, 16, 255]).description == "00010f10ff")
    }

    @Test("debug files by build-id: none for one of a single byte")
    func paths() {
        let files = DebugFiles(directory: "/d", roots: ["/r", ""])
        #expect(
            files.buildIDPaths(BuildID(bytes: [0xab, 0xcd])) == [
                "/r/d/.build-id/ab/cd.debug", "/d/.build-id/ab/cd.debug",
            ])
        #expect(files.buildIDPaths(BuildID(bytes: [0xab])).isEmpty && files.buildIDPaths(nil).isEmpty)
    }
}

/// Symbols as an assembler was told to make them: sizes, nesting, aliases, ends of sections.
@Suite struct AssembledSymbols {
    /// Links assembly to a program at a fixed address.
    private func link(_ source: String, _ name: String, options: String = "") throws -> String {
        let path = try Corpus.path(name)
        let file = try TemporaryFile(Array(source.utf8))
        _ = try run(
            "cc -x assembler -c -o '\(path).o' '\(file.path)' && ld -e 0 -Ttext=0x10000 \(options) -o '\(path)' '\(path).o' 2>&1"
        )
        return path
    }

    private func function(_ name: String, size: Int?, scope: String = "") -> String {
        (scope.isEmpty ? "" : "\(scope) \(name)\n") + ".type \(name), STT_FUNC\n\(name):\n"
            + (size.map { ".size \(name), \($0)\n" } ?? "")
    }

    private func table(_ path: String, _ files: DebugFiles = ELFSymbolsTests.none) throws -> ELFSymbols {
        try ELFSymbols(path: FilePath(path), debugFiles: files)
    }

    @Test("sizes: to the last byte; without one, to the next function or to the end of the section")
    func sizes() throws {
        var source = ".text\n" + function("sized", size: 32) + ".skip 48\n"
        source += function("bare", size: nil) + ".skip 16\n" + function("next", size: 8) + ".skip 16\n"
        source += function("tail", size: nil) + ".skip 24\n"
        source += ".section other, \"ax\"\n.skip 16\n" + function("lonely", size: nil) + ".skip 8\n"
        source += function("end", size: nil)
        let path = try link(source, "assembled-sizes")
        let symbols = try table(path)
        let places = try nm(path).reduce(into: [String: UInt64]()) { all, entry in
            for name in entry.value { all[name] = entry.key }
        }
        func at(_ name: String, _ offset: UInt64) throws -> String? {
            let found = try symbols.symbol(address: #require(places[name]) &+ offset)
            return found.map { "\($0.name)+\($0.offset)" }
        }
        #expect(try at("sized", 0) == "sized+0" && at("sized", 31) == "sized+31" && at("sized", 32) == nil)
        #expect(try at("sized", 47) == nil && at("bare", 0) == "bare+0" && at("bare", 15) == "bare+15")
        #expect(try at("bare", 16) == "next+0" && at("next", 7) == "next+7" && at("next", 8) == nil)
        #expect(try at("tail", 23) == "tail+23" && at("tail", 24) == nil)
        #expect(try at("lonely", 7) == "lonely+7" && at("lonely", 0 &- 1) == nil)
        // at the very end of its section there is no code of it
        #expect(try at("end", 0) == "end+0" && at("end", 1) == nil)
        #expect(symbols.count == 6 && symbols.source == .full)
    }

    @Test("a function is found behind seven labels nested in it, not behind eight")
    func nesting() throws {
        for (labels, isFound) in [(0, true), (7, true), (8, false)] {
            var source = ".text\n" + function("outer", size: 64) + ".skip 1\n"
            for label in 0..<labels { source += function("inner\(label)", size: 1) + ".skip 1\n" }
            source += ".skip 63\n"
            let symbols = try table(link(source, "assembled-nested\(labels)"))
            #expect(symbols.symbol(address: 0x10000)?.name == "outer")
            #expect(symbols.symbol(address: 0x10000 + 63)?.name == (isFound ? "outer" : nil))
        }
    }

    @Test(
        "of names at one address: a sized one, then fewer underscores, then global, weak, local, then the shorter, then by letters"
    )
    func aliases() throws {
        let groups: [(String, [(String, Int?, String)])] = [
            ("zz_sized", [("a", nil, ".globl"), ("zz_sized", 4, "")]),
            ("nounderscore", [("_u", 4, ".globl"), ("nounderscore", 4, "")]),
            ("_one", [("__v", 4, ".globl"), ("_one", 4, "")]),
            ("globalname", [("loc", 4, ""), ("weakn", 4, ".weak"), ("globalname", 4, ".globl")]),
            ("weakname", [("lo", 4, ""), ("weakname", 4, ".weak")]),
            ("ddd", [("dddd", 4, ".globl"), ("ddd", 4, ".globl")]),
            ("eea", [("eeb", 4, ".globl"), ("eea", 4, ".globl")]),
        ]
        for (index, order) in [groups, groups.map { ($0.0, Array($0.1.reversed())) }].enumerated() {
            var source = ".text\n"
            for (_, names) in order {
                source += names.map { function($0.0, size: $0.1, scope: $0.2) }.joined() + ".skip 16\n"
            }
            let symbols = try table(link(source, "assembled-aliases\(index)"))
            let found = groups.indices.map { symbols.symbol(address: 0x10000 + UInt64($0) * 16)?.name }
            #expect(found == groups.map(\.0))
            #expect(symbols.count == groups.count)
        }
    }

    private func debugRoot(_ name: String, holding file: String) throws -> DebugFiles {
        let root = try Corpus.path(name)
        _ = try run("mkdir -p '\(root)/.build-id/12' && cp '\(file)' '\(root)/.build-id/12/345678.debug'")
        return DebugFiles(directory: FilePath(root))
    }

    @Test("a debug file linked elsewhere: its addresses become the program's")
    func prelinked() throws {
        let source =
            ".text\n" + function("first", size: 8, scope: ".globl") + ".skip 16\n" + function("second", size: 4)
            + ".skip 4\n"
        let build = "--build-id=0x12345678 -z noseparate-code"
        let program = try link(source, "assembled-program", options: build)
        _ = try run("strip '\(program)'")
        let moved = try link(source, "assembled-moved", options: "\(build) -Ttext=0x50000")
        let found = try table(program, debugRoot("assembled-root", holding: moved))
        #expect(found.symbol(address: 0x10000)?.name == "first" && found.symbol(address: 0x10013)?.name == "second")
        #expect(found.symbol(address: 0x50000) == nil && found.count == 2)
        if case .debugFile = found.source {} else { Issue.record("\(found.source)") }
        // one without functions is no source of names
        let empty = try table(program, debugRoot("assembled-empty", holding: program))
        #expect(empty.source == .dynamic && empty.count == 0)
    }

    @Test("places of functions: both of one name, the local and the global; an alias is told, the name itself is not")
    func places() throws {
        var source = ".text\n" + function("twice", size: 4) + ".skip 16\n"
        source +=
            function("same", size: 4, scope: ".globl") + function("other_same", size: 4, scope: ".globl") + ".skip 16\n"
        let path = try link(source, "assembled-places")
        let found = try ELFSymbols.functionOffsets(
            named: ["same", "twice", "none"], path: FilePath(path), debugFiles: ELFSymbolsTests.none)
        #expect(found.map(\.name) == ["same", "twice"] && found.map(\.address) == [0x10010, 0x10000])
        #expect(found.map(\.aliases) == [["other_same"], []] && found.map(\.size) == [4, 4])
        #expect(found.allSatisfy { $0.version == nil && $0.isDefaultVersion && !$0.isIndirect })
        let image = try table(path).image
        #expect(found.map(\.fileOffset) == found.map { image.fileOffset(address: $0.address) })
    }
}
