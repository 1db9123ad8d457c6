// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Symbols

/// Figures for Docs/symbols.md: `SYMBOLS_FIGURES=1 swift test -c release -Xswiftc -enable-testing --filter Figures`.
@Suite(.serialized, .enabled(if: getenv("SYMBOLS_FIGURES") != nil))
struct FiguresTests {
    /// Resident anonymous memory of this process.
    static func residentKB() throws -> Int {
        let status = String(
            decoding: try FileHandle(reading: "/proc/self/status").readAll(limit: 1 << 16), as: UTF8.self)
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
}
