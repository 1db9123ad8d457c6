// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemLayer
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

@Suite struct ELFSymbolsTests {
    static let none = DebugFiles(directory: "/nonexistent")

    func load(_ name: String, debugFiles: DebugFiles = Self.none) throws -> ELFSymbols {
        try ELFSymbols(path: FilePath(try Corpus.path(name)), debugFiles: debugFiles)
    }

    /// Each function that binutils knows must be found, at its first and last byte, under one of its names.
    func expectAgrees(_ table: ELFSymbols, with path: String) throws {
        let known = try functionSizes(path)
        #expect(known.count > 3)
        #expect(table.count == known.count)
        for (address, function) in known {
            let first = try #require(table.symbol(address: address), "\(function.names)")
            #expect(function.names.contains(first.name))
            #expect(first.offset == 0)
            guard function.size > 1 else { continue }
            let last = try #require(table.symbol(address: address + function.size - 1), "\(function.names)")
            #expect(function.names.contains(last.name))
            #expect(last.offset == function.size - 1)
        }
    }

    @Test(arguments: ["pie", "nopie", "static", "staticpie", "compressed", "dwarf4", "cplusplus", "swift", "rust-v0"])
    func agreesWithReadelf(name: String) throws {
        guard try Corpus.has(name) else { return try skip("a compiler for \(name)") }
        let table = try load(name)
        #expect(table.source == .full)
        try expectAgrees(table, with: Corpus.path(name))
    }

    @Test func everyTableOfLibc() throws {
        let path = try #require(try ProcessMaps(pid: getpid()).mappings.first { $0.path.lastComponent == "libc.so.6" })
            .path
        let table = try ELFSymbols(path: path, debugFiles: Self.none)
        let dynamic = try functionSizes(path.description)
        for (address, function) in dynamic {
            let found = try #require(table.symbol(address: address))
            #expect(function.names.contains(found.name) && found.offset == 0)
        }
        #expect(dynamic.count > 2000)
        #expect(dynamic.values.contains { $0.names.contains("malloc") })
        let malloc = try #require(dynamic.first { $0.value.names.contains("malloc") })
        #expect(table.symbol(address: malloc.key + 3)?.name == "malloc")
        #expect(table.symbol(address: malloc.key + 3)?.offset == 3)
    }

    @Test func mostPublicAliasWins() throws {
        let path = try Corpus.path("pie")
        let address = try #require(try nm(path).first { $0.value.contains("weak") }).key
        #expect(try nm(path)[address] == ["weak", "exported_function", "__exported_function"])
        #expect(try load("pie").symbol(address: address)?.name == "exported_function")
    }

    @Test func outsideIsNil() throws {
        let table = try load("pie")
        #expect(table.symbol(address: 0) == nil)
        #expect(table.symbol(address: 1) == nil)
        #expect(table.symbol(address: .max) == nil)
        let main = try #require(table.entries.indices.first { table.name(at: $0) == "main" })
        let end = table.entries[main].address + UInt64(table.entries[main].size)
        #expect(table.symbol(address: end)?.name != "main")
    }

    @Test func strippedHasOnlyWhatIsDynamic() throws {
        let table = try load("stripped")
        #expect(table.source == .dynamic)
        #expect(table.count == (try functionSizes(Corpus.path("stripped"))).count)
        let main = try #require(try nm(Corpus.path("pie")).first { $0.value.contains("main") }).key
        #expect(table.symbol(address: main) == nil)
    }

    @Test func debugFileByBuildID() throws {
        let root = FilePath(try Corpus.path("debugroot"))
        let table = try load("stripped", debugFiles: DebugFiles(directory: root))
        let id = try #require(table.image.buildID).description
        #expect(table.source == .debugFile(root.appending(".build-id/\(id.prefix(2))/\(id.dropFirst(2)).debug")))
        try expectAgrees(table, with: Corpus.path("pie"))
    }

    @Test func buildIDAgreesWithReadelf() throws {
        let id = try run("readelf -n '\(Corpus.path("pie"))' | sed -n 's/.*Build ID: *//p'")
        #expect(try load("pie").image.buildID?.description == String(id.dropLast()))
        #expect(try load("nobuildid").image.buildID == nil)
    }

    @Test func debugFileByLink() throws {
        let table = try load("linked")
        #expect(table.image.debugLink?.name == "linked.debug")
        #expect(table.source == .debugFile(FilePath(try Corpus.path("linked.debug"))))
        try expectAgrees(table, with: Corpus.path("nobuildid"))
    }

    @Test func debugFileWithWrongChecksumIsRefused() throws {
        let table = try load("badlink/linked")
        #expect(table.image.debugLink?.name == "linked.debug")
        #expect(table.source == .dynamic)
    }

    @Test func debugLinkCannotLeaveItsDirectory() {
        let link = DebugLink(name: "../../etc/passwd", crc32: 0)
        #expect(DebugFiles().debugLinkPaths(link, of: "/usr/bin/x") == [])
        let good = DebugLink(name: "x.debug", crc32: 0)
        #expect(
            DebugFiles(roots: ["/proc/7/root", ""]).debugLinkPaths(good, of: "/proc/7/root/usr/bin/x") == [
                "/proc/7/root/usr/bin/x.debug", "/proc/7/root/usr/bin/.debug/x.debug",
                "/proc/7/root/usr/lib/debug/usr/bin/x.debug", "/usr/lib/debug/usr/bin/x.debug",
            ])
    }

    @Test func miniDebugInfo() throws {
        let table = try load("mini")
        #expect(table.source == .miniDebugInfo)
        for (address, names) in try nm(Corpus.path("mini.full")) {
            guard let wanted = names.intersection(["main", "local_function", "calls_inlined"]).first else { continue }
            #expect(table.symbol(address: address)?.name == wanted)
        }
    }

    @Test func offsetsAndAddresses() throws {
        for name in ["pie", "nopie", "static"] {
            let image = try load(name).image
            #expect(image.isFixed == (name != "pie"))
            for line in try run("readelf -lW '\(Corpus.path(name))'").split(separator: "\n") {
                let fields = line.split(separator: " ").map { $0.dropFirst(2) }
                guard line.contains(" LOAD "), fields.count > 6, line.contains("R E") else { continue }
                let offset = try #require(UInt64(fields[1], radix: 16))
                let address = try #require(UInt64(fields[2], radix: 16))
                let size = try #require(UInt64(fields[4], radix: 16))
                #expect(image.address(fileOffset: offset + 5) == address + 5)
                #expect(image.fileOffset(address: address + size - 1) == offset + size - 1)
            }
            #expect(image.address(fileOffset: 1 << 40) == nil)
            #expect(image.fileOffset(address: 1 << 60) == nil)
        }
    }
}

@Suite struct FunctionOffsetsTests {
    func find(_ names: Set<String>, _ file: String) throws -> [FunctionLocation] {
        try ELFSymbols.functionOffsets(named: names, path: FilePath(file), debugFiles: ELFSymbolsTests.none)
    }

    /// The bytes that nm's address and readelf's headers lead to.
    @Test func versions() throws {
        let path = try Corpus.path("versioned.so")
        let found = try find(["take"], path)
        #expect(found.map(\.version) == ["CORPUS_2.0", "CORPUS_1.0"])
        #expect(found.map(\.isDefaultVersion) == [true, false])
        let addresses = try nm(path)
        #expect(found[0].address == addresses.first { $0.value.contains("take_new") }?.key)
        #expect(found[1].address == addresses.first { $0.value.contains("take_old") }?.key)
        #expect(try find(["take@CORPUS_1.0"], path).map(\.address) == [found[1].address])
        #expect(try find(["take@@CORPUS_2.0", "plain"], path).map(\.name) == ["plain", "take@@CORPUS_2.0"])
        #expect(try find(["take@CORPUS_3.0", "absent", ""], path) == [])
    }

    @Test func libc() throws {
        let path = try #require(try ProcessMaps(pid: getpid()).mappings.first { $0.path.lastComponent == "libc.so.6" })
            .path
        let names: Set = ["malloc", "free", "calloc", "realloc", "posix_memalign", "aligned_alloc", "mmap", "memcpy"]
        let found = try find(names, path.description)
        #expect(Set(found.map(\.name)) == names)
        let known = try run("nm -D --defined-only '\(path)'")
        for function in found {
            let address = String(function.address, radix: 16)
            let matches =
                known.contains("\(address) \(function.isIndirect ? "i" : "T") \(function.name)@")
                || known.contains("\(address) W \(function.name)@")
            #expect(matches, "\(function)")
        }
        let malloc = try #require(found.first { $0.name == "malloc" })
        #expect(malloc.aliases.contains("__libc_malloc"))
        #expect(malloc.version?.hasPrefix("GLIBC_2.") == true && malloc.isDefaultVersion && !malloc.isIndirect)
        #expect(found.first { $0.name == "memcpy" }?.isIndirect == true)
        // The file's bytes there are the running function's.
        // libc's own: a sanitizer puts another before it.
        let library = try #require(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD))
        let running = try #require(UnsafeRawPointer(dlsym(library, "malloc")))
        let bytes = try OpenFile(reading: path).readAll(limit: 1 << 26)
        for index in 0..<16 {
            #expect(bytes[Int(malloc.fileOffset) + index] == running.load(fromByteOffset: index, as: UInt8.self))
        }
    }

    @Test func localsAliasesAndIndirect() throws {
        let path = try Corpus.path("pie")
        let local = try find(["local_function"], path)
        #expect(local.count == 1)
        #expect(try nm(path)[local[0].address] == ["local_function"])
        let alias = try #require(try find(["weak"], path).first)
        #expect(alias.aliases == ["__exported_function", "exported_function"])
        #expect(try find(["indirect_function"], path).map(\.isIndirect) == [true])
    }

    @Test func throughDebugFile() throws {
        let debug = DebugFiles(directory: FilePath(try Corpus.path("debugroot")))
        let stripped = try ELFSymbols.functionOffsets(
            named: ["local_function"], path: FilePath(try Corpus.path("stripped")), debugFiles: debug)
        #expect(stripped == (try find(["local_function"], Corpus.path("pie"))))
        #expect(try find(["local_function"], Corpus.path("stripped")) == [])
    }
}
