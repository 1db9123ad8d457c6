// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemLayer
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

@Suite struct ProcessSymbolizerTests {
    func only(_ frames: [Frame]) throws -> Frame {
        try #require(frames.count == 1)
        return try #require(frames.first)
    }

    @Test(arguments: ["pie", "nopie", "static", "staticpie", "compressed"])
    func namesWhatTheProgramSays(program: String) throws {
        let path = try Corpus.path(program)
        let target = try Spawned([path])
        let symbolizer = ProcessSymbolizer()
        for name in ["local_function", "exported_function", "calls_inlined", "main"] {
            let address = try #require(target.addresses[name])
            let frame = try only(symbolizer.frames(address: address + 2, isReturnAddress: false, process: target.pid))
            #expect(frame.symbol == name && frame.offset == 2 && frame.address == address + 2)
            #expect(frame.module == FilePath(path))
            #expect(frame.buildID != nil && !frame.isInlined && frame.source == nil)
            // The module's address is what nm prints.
            let moduleAddress = try #require(frame.moduleAddress)
            #expect(try nm(path)[moduleAddress - 2]?.contains(name) == true)
        }
        // In a program linked to fixed addresses, a function of a library goes by the address of its own PLT entry.
        let malloc = try #require(target.addresses["malloc"])
        let frame = try only(symbolizer.frames(address: malloc, isReturnAddress: false, process: target.pid))
        #expect(frame.symbol == (program == "nopie" ? nil : "malloc"))
    }

    @Test func returnAddressBelongsToTheCall() throws {
        let target = try Spawned([try Corpus.path("pie")])
        let symbolizer = ProcessSymbolizer()
        let start = try #require(target.addresses["calls_inlined"])
        let table = try ELFSymbols(path: FilePath(try Corpus.path("pie")))
        let index = try #require(table.entries.indices.first { table.name(at: $0) == "calls_inlined" })
        let end = start + UInt64(table.entries[index].size)
        let frame = try only(symbolizer.frames(address: end, isReturnAddress: true, process: target.pid))
        #expect(frame.symbol == "calls_inlined" && frame.offset == end - start && frame.address == end)
        let main = try #require(target.addresses["main"])
        let stack = symbolizer.frames(stack: [start, main + 1], process: target.pid)
        #expect(stack.map(\.symbol) == ["calls_inlined", "main"])
        #expect(stack.map(\.offset) == [0, 1])
    }

    @Test func survivesTheExit() throws {
        let target = try Spawned([try Corpus.path("pie")])
        let loaded = ProcessSymbolizer()
        try loaded.load(process: target.pid)
        target.finish()
        for (name, address) in target.addresses {
            let frame = try only(loaded.frames(address: address, isReturnAddress: false, process: target.pid))
            #expect(frame.symbol == name)
        }
        let late = ProcessSymbolizer()
        let address = try #require(target.addresses["main"])
        #expect(late.frames(address: address, isReturnAddress: false, process: target.pid) == [Frame(address: address)])
        #expect(throws: SymbolError.system(operation: "open", path: "/proc/\(target.pid)/maps", errno: ENOENT)) {
            try late.load(process: target.pid)
        }
        loaded.forget(process: target.pid)
        #expect(
            loaded.frames(address: address, isReturnAddress: false, process: target.pid) == [Frame(address: address)])
    }

    /// What was held open is read when the process is gone.
    @Test func loadsWhatItHeld() throws {
        let target = try Spawned([try Corpus.path("pie")])
        let address = try #require(target.addresses["local_function"])
        let symbolizer = ProcessSymbolizer()
        try symbolizer.hold(process: target.pid)
        target.finish()
        try symbolizer.load(process: target.pid)
        let frame = try only(symbolizer.frames(address: address, isReturnAddress: false, process: target.pid))
        #expect(frame.symbol == "local_function" && frame.offset == 0)
    }

    @Test func deletedProgram() throws {
        let copy = try Corpus.path("deleted")
        _ = try run("cp '\(Corpus.path("pie"))' '\(copy)'")
        let target = try Spawned([copy])
        try #require(unlink(copy) == 0)
        let address = try #require(target.addresses["local_function"])
        let symbolizer = ProcessSymbolizer()
        let frame = try only(symbolizer.frames(address: address, isReturnAddress: false, process: target.pid))
        guard frame.symbol != nil || geteuid() == 0 else { return try skip("CAP_SYS_ADMIN, to open map_files") }
        #expect(frame.symbol == "local_function" && frame.module == FilePath(copy))
    }

    /// An upgrade puts another file under the name: its names must not be given to the old code.
    @Test func replacedProgram() throws {
        let copy = try Corpus.path("replaced")
        _ = try run("cp '\(Corpus.path("pie"))' '\(copy)'")
        let target = try Spawned([copy])
        _ = try run("cp '\(Corpus.path("nopie"))' '\(copy).new' && mv '\(copy).new' '\(copy)'")
        let address = try #require(target.addresses["main"])
        let frame = try only(ProcessSymbolizer().frames(address: address, isReturnAddress: false, process: target.pid))
        #expect(frame.symbol == "main" && frame.offset == 0)
        #expect(frame.buildID == (try ELFSymbols(path: FilePath(try Corpus.path("pie"))).image.buildID))
    }

    @Test func strippedProgramThroughItsDebugFile() throws {
        let target = try Spawned([try Corpus.path("stripped")])
        let address = try #require(target.addresses["local_function"])
        let plain = try only(ProcessSymbolizer().frames(address: address, isReturnAddress: false, process: target.pid))
        let path = FilePath(try Corpus.path("stripped"))
        #expect(plain.symbol == nil && plain.module == path && plain.moduleAddress != nil)
        var options = ProcessSymbolizer.Options()
        options.debugDirectory = FilePath(try Corpus.path("debugroot"))
        options.lines = true
        let found = ProcessSymbolizer(options: options)
        let frame = try only(found.frames(address: address, isReturnAddress: false, process: target.pid))
        #expect(frame.symbol == "local_function")
        #expect(frame.source?.file.hasSuffix("/sample.c") == true)
    }

    @Test func sharesTablesBetweenProcesses() throws {
        let first = try Spawned([try Corpus.path("pie")])
        let second = try Spawned([try Corpus.path("pie")])
        let modules = ModuleCache(wantsLines: false, debugDirectory: "/usr/lib/debug", FileReading())
        func table(_ target: Spawned) throws -> ModuleTable {
            let maps = try ProcessMaps(pid: target.pid)
            let main = try #require(target.addresses["main"])
            let mapping = try #require(maps.mapping(containing: main))
            return try #require(modules.table(mapping, pid: target.pid))
        }
        #expect(try table(first) === table(second))
        // Another file with the same build-id: whoever made it chose that.
        _ = try run("cp '\(Corpus.path("pie"))' '\(Corpus.path("copied"))'")
        let third = try Spawned([try Corpus.path("copied")])
        #expect(try table(third) !== table(first))
        modules.keepOnly(usedBy: [TracedProcess]())
        #expect(modules.tables.isEmpty)
    }

    @Test func forgetsTheLeastRecentlyUsed() throws {
        var options = ProcessSymbolizer.Options()
        options.mostProcesses = 1
        let symbolizer = ProcessSymbolizer(options: options)
        let first = try Spawned([try Corpus.path("pie")])
        let second = try Spawned([try Corpus.path("nopie")])
        try symbolizer.load(process: first.pid)
        try symbolizer.load(process: second.pid)
        first.finish()
        second.finish()
        let gone = try #require(first.addresses["main"])
        let kept = try #require(second.addresses["main"])
        #expect(symbolizer.frames(address: kept, isReturnAddress: false, process: second.pid).map(\.symbol) == ["main"])
        #expect(symbolizer.frames(address: gone, isReturnAddress: false, process: first.pid).map(\.symbol) == [nil])
    }

    @Test func rawAndDemangled() throws {
        // This very process: its test binary is C++'s, Swift's and C's.
        let raw: UnsafeMutableRawPointer = try #require(dlsym(nil, "_Znwm"))
        let address = UInt64(UInt(bitPattern: raw))
        var options = ProcessSymbolizer.Options()
        let readable = try only(
            ProcessSymbolizer(options: options).frames(address: address, isReturnAddress: false, process: getpid()))
        #expect(readable.symbol == "operator new(unsigned long)")
        options.rawNames = true
        let linker = try only(
            ProcessSymbolizer(options: options).frames(address: address, isReturnAddress: false, process: getpid()))
        #expect(linker.symbol == "_Znwm")
    }

    /// As in a container: a file and a /tmp that only the process sees, and a number of its own.
    @Test func otherNamespaces() throws {
        guard geteuid() == 0 else { return try skip("root, to make namespaces") }
        let program = try Corpus.path("nobuildid")
        let script = """
            mount -t tmpfs none /mnt
            cp '\(program)' /mnt/inside && mount -t tmpfs none /tmp && echo '7000 100 contained' > /tmp/perf-1.map && exec /mnt/inside
            """
        let target = try Spawned(["unshare", "--mount", "--pid", "--fork", "sh", "-c", script])
        let children = try OpenFile(reading: FilePath("/proc/\(target.pid)/task/\(target.pid)/children")).readAll(
            limit: 4096)
        let inside = try #require(Int32(String(decoding: children, as: UTF8.self).split(separator: " ").first ?? ""))
        #expect(access("/mnt/inside", F_OK) != 0)
        let address = try #require(target.addresses["calls_inlined"])
        let symbolizer = ProcessSymbolizer()
        let frame = try only(symbolizer.frames(address: address, isReturnAddress: false, process: inside))
        #expect(frame.symbol == "calls_inlined" && frame.offset == 0 && frame.module == "/mnt/inside")
        #expect(PerfMapFile.path(pid: inside) == "tmp/perf-1.map")
        let generated = try only(symbolizer.frames(address: 0x7010, isReturnAddress: false, process: inside))
        #expect(generated.symbol == "contained" && generated.offset == 0x10)
    }

    @Test func vdso() throws {
        let mapping = try #require(try ProcessMaps(pid: getpid()).mappings.first { $0.kind == .vdso })
        let bytes = try OpenFile(reading: "/proc/self/mem").read(
            at: mapping.start, count: Int(mapping.end - mapping.start))
        let table = try ELFSymbols(image: bytes, name: "[vdso]")
        let file = try TemporaryFile(bytes)
        let known = try functionSizes(file.path.description)
        #expect(known.count > 2 && table.count == known.count)
        let symbolizer = ProcessSymbolizer()
        for (address, function) in known {
            let frame = try only(
                symbolizer.frames(address: mapping.start + address, isReturnAddress: false, process: getpid()))
            #expect(frame.module == "[vdso]" && frame.offset == 0)
            #expect(function.names.contains(frame.symbol ?? ""))
        }
    }

    @Test func librariesLoadedLater() throws {
        let symbolizer = ProcessSymbolizer()
        try symbolizer.load(process: getpid())
        let handle = try #require(dlopen(try Corpus.path("versioned.so"), RTLD_NOW))
        let raw: UnsafeMutableRawPointer = try #require(dlsym(handle, "plain"))
        let address = UInt64(UInt(bitPattern: raw))
        usleep(150_000)  // readings of /proc are at least so far apart
        #expect(
            symbolizer.frames(address: address + 1, isReturnAddress: false, process: getpid()).map(\.symbol) == [
                "plain"
            ])
        dlclose(handle)
        usleep(150_000)
        _ = symbolizer.frames(address: 1, isReturnAddress: false, process: getpid())
        #expect(
            symbolizer.frames(address: address + 1, isReturnAddress: false, process: getpid()).map(\.symbol) == [
                "plain"
            ])
    }

    @Test func generatedCode() throws {
        let page = try #require(mmap(nil, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        defer { munmap(page, 4096) }
        let address = UInt64(UInt(bitPattern: page))
        let target = try Spawned(["sh", "-c", "cat /proc/self/maps >/dev/null; echo ready; read x || true"])
        // A JIT's map of a process that has code at an address of its own.
        let code = try #require(try ProcessMaps(pid: target.pid).mappings.first { $0.kind == .heap }).start
        let path = "/tmp/perf-\(target.pid).map"
        let file = try #require(fopen(path, "w"))
        defer { unlink(path) }
        fputs("\(String(code, radix: 16)) 100 JS:*render /app.js:1\n", file)
        fclose(file)
        let frame = try only(
            ProcessSymbolizer().frames(address: code + 0x20, isReturnAddress: false, process: target.pid))
        #expect(frame.symbol == "JS:*render /app.js:1" && frame.offset == 0x20 && frame.module == "[heap]")
        // a return address behind a function's last call is still the function's, and its offset counts to there
        let symbolizer = ProcessSymbolizer()
        for offset in [0x20, 0x100] as [UInt64] {
            let returned = try only(
                symbolizer.frames(address: code + offset, isReturnAddress: true, process: target.pid))
            #expect(returned.symbol == "JS:*render /app.js:1" && returned.offset == offset)
            #expect(returned.address == code + offset)
        }
        #expect(
            ProcessSymbolizer().frames(address: address, isReturnAddress: false, process: getpid()).map(\.module) == [
                "[anon]"
            ])
    }

    @Test func nothingThere() {
        let symbolizer = ProcessSymbolizer()
        for address in [0, 1, 0xdead_beef, .max] as [UInt64] {
            #expect(
                symbolizer.frames(address: address, isReturnAddress: true, process: getpid()) == [
                    Frame(address: address)
                ])
            #expect(
                symbolizer.frames(address: address, isReturnAddress: false, process: -1) == [Frame(address: address)])
        }
    }

    @Test func kernelFrames() throws {
        let symbolizer = ProcessSymbolizer()
        let frame = symbolizer.kernelFrame(address: 0xffff_ffff_ffff_f000)
        if symbolizer.kernelError == .kernelAddressesHidden { return try skip("CAP_SYSLOG, to see kernel addresses") }
        #expect(frame == Frame(address: 0xffff_ffff_ffff_f000, module: "[kernel]"))
        let table = try KernelSymbols()
        let entry = try #require(table.entries.first)
        let named = symbolizer.kernelFrame(address: entry.address)
        #expect(named.symbol == table.name(for: entry.address)?.name)
        #expect(named.module == "[kernel]")
    }

    @Test func fixedSymbolizer() {
        let fixed = FixedSymbolizer([0x10: ["inlined", "caller"], 0x20: ["main"]])
        let frames = fixed.frames(stack: [0x10, 0x20, 0x30], process: 1)
        #expect(frames.map(\.symbol) == ["inlined", "caller", "main", nil])
        #expect(frames.map(\.isInlined) == [true, false, false, false])
        #expect(fixed.kernelFrame(address: 0x20).module == "[kernel]")
    }
}
