// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemLayer
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

/// Figures for Docs/symbols.md: `SYMBOLS_FIGURES=1 swift test -c release -Xswiftc -enable-testing --filter SymbolizationCosts`.
@Suite(.serialized, .enabled(if: getenv("SYMBOLS_FIGURES") != nil))
struct SymbolizationCosts {
    /// Resident anonymous memory of this process.
    static func residentKB() throws -> Int {
        // Freed memory goes back to the kernel first. (<malloc.h> isn't in the Glibc module.)
        if let trim = dlsym(nil, "malloc_trim") {
            _ = unsafeBitCast(trim, to: (@convention(c) (Int) -> Int32).self)(0)
        }
        let status = String(
            decoding: try OpenFile(reading: "/proc/self/status").readAll(limit: 1 << 16), as: UTF8.self)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
        return try #require(line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) })
    }

    @Test func kernelSymbols() throws {
        let clock = ContinuousClock()
        for _ in 0..<3 {
            let before = try Self.residentKB()
            var table: KernelSymbols?
            let loading = try clock.measure { table = try KernelSymbols() }
            let after = try Self.residentKB()
            let symbols = try #require(table)
            let addresses = symbols.entries.indices.filter { $0 % 11 == 0 }.prefix(10_000).map {
                symbols.entries[$0].address + 1
            }
            var named = 0
            let naming = clock.measure {
                for address in addresses where symbols.name(for: address) != nil { named += 1 }
            }
            print(
                "kallsyms: \(symbols.count) symbols, \(symbols.names.count) name bytes, load \(loading), RssAnon +\(after - before) kB,",
                "\(named) of \(addresses.count) addresses named in \(naming)")
        }
    }

    /// A python3 with as many modules as it brings along: 10 000 addresses spread over all its code.
    @Test func process() throws {
        let target = try Spawned([
            "python3", "-c",
            "import sys, json, ssl, sqlite3, decimal, ctypes, hashlib, lzma; print('ready', flush=True); sys.stdin.read()",
        ])
        let maps = try ProcessMaps(pid: target.pid)
        let code = maps.mappings.filter { $0.isExecutable && $0.kind == .file }
        let bytes = code.reduce(0) { $0 + ($1.end - $1.start) }
        let addresses = code.flatMap { mapping in
            let share = (mapping.end - mapping.start) * 10_000 / bytes
            return (0..<share).map { mapping.start + (mapping.end - mapping.start) * $0 / share }
        }
        let clock = ContinuousClock()
        for lines in [false, false, true] {
            var options = ProcessSymbolizer.Options()
            options.lines = lines
            let before = try Self.residentKB()
            let symbolizer = ProcessSymbolizer(options: options)
            let loading = try clock.measure { try symbolizer.load(process: target.pid) }
            let loaded = try Self.residentKB()
            var (named, placed) = (0, 0)
            let first = clock.measure {
                for address in addresses {
                    let frames = symbolizer.frames(address: address, isReturnAddress: false, process: target.pid)
                    if frames.contains(where: { $0.symbol != nil }) { named += 1 }
                    if frames.contains(where: { $0.source != nil }) { placed += 1 }
                }
            }
            let second = clock.measure {
                for address in addresses {
                    _ = symbolizer.frames(address: address, isReturnAddress: false, process: target.pid)
                }
            }
            let after = try Self.residentKB()
            print(
                "python3\(lines ? " with lines" : ""): \(code.count) files, \(bytes >> 20) MiB of code, load \(loading)",
                "RssAnon +\(loaded - before) kB; \(addresses.count) addresses, \(named) named, \(placed) with lines,",
                "first \(first), again \(second), RssAnon +\(after - before) kB")
        }
    }

    @Test(arguments: ["libc.so.6", "libswiftCore.so", "libFoundation.so"])
    func library(name: String) throws {
        guard
            let path = try ProcessMaps(pid: getpid()).mappings.first(where: { $0.path.lastComponent?.string == name }
            )?.path
        else { return }
        let clock = ContinuousClock()
        for debug in [DebugFiles(directory: "/nonexistent"), DebugFiles()] {
            let before = try Self.residentKB()
            var table: ELFSymbols?
            let loading = try clock.measure { table = try ELFSymbols(path: path, debugFiles: debug) }
            let symbols = try #require(table)
            let finding = try clock.measure {
                _ = try ELFSymbols.functionOffsets(named: ["malloc", "free", "calloc"], path: path, debugFiles: debug)
            }
            print(
                "\(name): \(symbols.count) functions, \(symbols.source), load \(loading),",
                "RssAnon +\(try Self.residentKB() - before) kB, table \((symbols.count * 16) >> 10) kB,",
                "three functions by name \(finding)")
        }
    }

    @Test func demangling() throws {
        let clock = ContinuousClock()
        for program in ["cplusplus", "rust-v0", "rust-legacy", "swift"] where try Corpus.has(program) {
            let names = try nm(try Corpus.path(program)).values.joined().filter { Demangler.language(of: $0) != nil }
            let took = clock.measure { for name in names { _ = Demangler.demangle(name) } }
            print("demangle \(program): \(names.count) names in \(took)")
        }
    }
}
