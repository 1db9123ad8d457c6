// SPDX-License-Identifier: Apache-2.0
import SystemLayer
import SystemPackage
import TraceRecords
import CSymbols
import CUnwind
import Glibc
import TestSupport
import Testing

@testable import Symbols
@testable import Unwind

/// Rules as the tests write them.
private func rule(_ cfa: unwind_cfa, _ offset: Int64, _ saved: unwind_saved = UNWIND_SAME, _ place: Int64 = 0) -> UInt64
{
    UInt64(cfa.rawValue) | UInt64(saved.rawValue) << 4 | (UInt64(bitPattern: offset) & 0xff_ffff) << 16
        | UInt64(bitPattern: place) << 40
}

@Suite struct UnwindPackerTests {
    private func table(_ rows: [(UInt64, UInt64, UInt64)], text: Range<UInt64> = 0x1000..<0x9000) -> UnwindTable {
        UnwindTable(rows: rows.map { unwind_row(start: $0.0, end: $0.1, rule: $0.2) }, text: text)
    }

    @Test("rows hold from their first byte to their last, gaps say so")
    func edges() {
        let (a, b) = (rule(UNWIND_SP, 8), rule(UNWIND_SP, 16, UNWIND_AT_CFA, -16))
        let table = table([(0x1010, 0x1020, a), (0x1020, 0x1024, b), (0x2fff, 0x3801, a), (0x8ff0, 0x9000, b)])
        let expected: [(UInt64, UInt64)] = [
            (0xfff, 0), (0x1000, 0), (0x100f, 0), (0x1010, a), (0x101f, a), (0x1020, b), (0x1023, b), (0x1024, 0),
            (0x2ffe, 0), (0x2fff, a), (0x3000, a), (0x33ff, a), (0x3400, a), (0x3800, a), (0x3801, 0), (0x8fef, 0),
            (0x8ff0, b), (0x8fff, b), (0x9000, 0),
        ]
        for (address, rule) in expected { #expect(table.rule(at: address) == rule, "\(String(address, radix: 16))") }
        #expect(table.ruleCount == 3)
    }

    @Test("overlapping rows: the first entry's hold, and the rest are counted")
    func overlap() {
        let (a, b) = (rule(UNWIND_SP, 8), rule(UNWIND_SP, 16))
        let table = table([(0x1000, 0x2000, a), (0x1800, 0x2800, b), (0x1900, 0x1a00, b), (0x1000, 0x1001, b)])
        #expect(table.rule(at: 0x1900) == a)
        #expect(table.rule(at: 0x2000) == b)
        #expect(table.rule(at: 0x27ff) == b)
        #expect(table.rule(at: 0x1000) == a)
        #expect(table.flaws.overlapping == 3)
    }

    @Test("rows outside the text, backwards, unsorted")
    func outside() {
        let a = rule(UNWIND_SP, 8)
        let table = table([
            (0x5000, 0x4000, a), (0, .max, a), (0x9000, 0x9100, a), (UInt64.max - 1, .max, a), (0x10, 0x20, a),
        ])
        #expect(table.rule(at: 0x1000) == a && table.rule(at: 0x8fff) == a)
    }

    /// A row a byte is the most there can be: a chunk's rows fill a block.
    @Test("as many rows as bytes, more rules than numbers")
    func dense() {
        var rows: [(UInt64, UInt64, UInt64)] = []
        for address in UInt64(0x1000)..<0x9000 {
            rows.append((address, address + 1, rule(UNWIND_SP, Int64(address))))
        }
        let table = table(rows)
        for row in rows { #expect(table.rule(at: row.0) == row.2) }
        #expect(table.rowCount == 0x8000)

        var many: [(UInt64, UInt64, UInt64)] = []
        for address in UInt64(0)..<70_000 { many.append((address, address + 1, rule(UNWIND_FP, Int64(address)))) }
        let full = self.table(many, text: 0..<0x12000)
        #expect(full.ruleCount == 1 << 16)
        #expect(full.flaws.unnumbered == 70_000 - (1 << 16) + 1)
        #expect(full.rule(at: 69_999) == 0)
    }
}

@Suite struct UnwindTableTests {
    private func table(_ path: String) throws -> UnwindTable {
        let file = try ELFFile(path: FilePath(path))
        return try UnwindTable(file, file.image())
    }

    /// readelf's own interpretation: function by function, row by row.
    private func compare(_ path: String) throws -> (rows: Int, other: Int) {
        let table = try table(path)
        var (rows, other, ra) = (0, 0, "")
        var columns: [Substring] = []
        for line in try run("readelf -wF '\(path)' 2>/dev/null; true").split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.first == "LOC" {
                columns = fields
                continue
            }
            guard columns.count == fields.count, fields.count > 2, fields[0].count == 16,
                let address = UInt64(fields[0], radix: 16), columns.last == "ra", address > 0
            else { continue }
            ra = String(fields[fields.count - 1])
            guard ra == "c-8", fields[1].hasPrefix("rsp+") || fields[1].hasPrefix("rbp+"),
                let offset = Int64(fields[1].dropFirst(4))
            else {
                other += 1
                continue
            }
            var (saved, place) = (UNWIND_SAME, Int64(0))
            if let index = columns.firstIndex(of: "rbp"), fields[index].hasPrefix("c-"),
                let distance = Int64(fields[index].dropFirst(2))
            {
                (saved, place) = (UNWIND_AT_CFA, -distance)
            }
            let want = rule(fields[1].hasPrefix("rsp") ? UNWIND_SP : UNWIND_FP, offset, saved, place)
            #expect(table.rule(at: address) == want, "\(path): \(line)")
            rows += 1
        }
        return (rows, other)
    }

    @Test("as readelf interprets it", arguments: ["pie", "versioned.so"])
    func small(name: String) throws {
        let (rows, _) = try compare(Corpus.path(name))
        #expect(rows >= 2)
    }

    @Test("the C library, as readelf interprets it")
    func library() throws {
        #if arch(x86_64)
            let path = "/lib/x86_64-linux-gnu/libc.so.6"
            guard access(path, F_OK) == 0 else { return try skip(path) }
            let (rows, other) = try compare(path)
            #expect(rows > 10_000)
            #expect(other < rows / 100)
        #endif
    }

    /// arm64: the return address is in a register until it is stored, most often beside the frame pointer.
    private func compareArm64(_ path: String) throws -> (rows: Int, other: Int, rules: Set<UInt64>) {
        let table = try table(path)
        #expect(table.flaws == UnwindTable.Flaws())
        var (rows, other, rules) = (0, 0, Set<UInt64>())
        var columns: [Substring] = []
        func place(_ fields: [Substring], _ column: Substring) -> Int64? {
            guard let index = columns.firstIndex(of: column), fields[index] != "u" else { return nil }
            return fields[index].hasPrefix("c") ? Int64(fields[index].dropFirst()) : .max
        }
        for line in try run("readelf -wF '\(path)' 2>/dev/null; true").split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.first == "LOC" {
                columns = fields
                continue
            }
            guard columns.count == fields.count, fields.count > 1, fields[0].count == 16,
                let address = UInt64(fields[0], radix: 16), address > 0
            else { continue }
            let base = fields[1].split(separator: "+")
            guard let offset = base.last.flatMap({ Int64($0) }), base[0] == "sp" || base[0] == "x29" else {
                other += 1
                continue
            }
            let cfa = base[0] == "sp" ? UNWIND_SP : UNWIND_FP
            let want: UInt64
            switch (place(fields, "x29"), place(fields, "ra")) {
            case (nil, nil): want = rule(cfa, offset)
            case (nil, let ra?) where ra != .max: want = rule(cfa, offset, UNWIND_RA_ONLY, ra)
            case (let fp?, let ra?) where ra != .max && ra == fp + 8: want = rule(cfa, offset, UNWIND_AT_CFA, fp)
            default: want = UInt64(UNWIND_UNSUPPORTED.rawValue)
            }
            // readelf writes `u` for what is undefined, too, and leaves out what is in no memory
            if table.rule(at: address) < UInt64(UNWIND_SP.rawValue) {
                other += 1
                continue
            }
            #expect(table.rule(at: address) == want, "\(path): \(line)")
            rules.insert(want)
            rows += 1
        }
        return (rows, other, rules)
    }

    @Test("arm64: a recorded library, as readelf interprets it")
    func arm64() throws {
        let (rows, other, rules) = try compareArm64("\(Corpus.sources)/arm64/frames.so")
        #expect(rows >= 35 && other == 0)
        // each way of saying it is there
        #expect(rules.contains(rule(UNWIND_SP, 0)))
        #expect(rules.contains(rule(UNWIND_SP, 16, UNWIND_AT_CFA, -16)))
        #expect(rules.contains(rule(UNWIND_FP, 16, UNWIND_AT_CFA, -16)))
        #expect(rules.contains(rule(UNWIND_SP, 70032, UNWIND_AT_CFA, -70032)))
        #expect(rules.contains(rule(UNWIND_SP, 32, UNWIND_RA_ONLY, -16)))
    }

    @Test("arm64: the C library of Debian's cross compiler, where it is installed, as readelf interprets it")
    func arm64Library() throws {
        let path = "/usr/aarch64-linux-gnu/lib/libc.so.6"
        guard access(path, F_OK) == 0 else { return }
        let (rows, other, _) = try compareArm64(path)
        #expect(rows > 10_000)
        #expect(other < rows / 500)
    }

    @Test("a file without call-frame information says so")
    func without() throws {
        let bare = try Corpus.path("bare")
        _ = try run(
            "objcopy --remove-section .eh_frame --remove-section .eh_frame_hdr '\(Corpus.path("pie"))' '\(bare)'")
        #expect(throws: SymbolError.noUnwindInformation(path: bare)) { _ = try table(bare) }
    }

    @Test(".debug_frame, where only that exists")
    func debugFrame() throws {
        let path = try Corpus.path("debugframe")
        _ = try run(
            """
            echo 'int f(int n) { return n > 1 ? f(n - 1) + f(n - 2) : n; } int main(void) { return f(3); }' |
            cc -x c -O1 -g -fno-asynchronous-unwind-tables -fno-unwind-tables -c -o '\(path).o' - && cc -o '\(path).all' '\(path).o' &&
            objcopy --remove-section .eh_frame --remove-section .eh_frame_hdr '\(path).all' '\(path)'
            """)
        let table = try table(path)
        let main = try #require(try functionSizes(path).first { $0.value.names.contains("f") })
        #expect(table.rule(at: main.key) & 15 == UInt64(UNWIND_SP.rawValue))
    }

    /// A table or an error, in bounded time, whatever the file says.
    @Test("damaged call-frame information", arguments: ["pie", "versioned.so"])
    func damaged(name: String) throws {
        let whole = try OpenFile(reading: FilePath(Corpus.path(name))).readAll(limit: 1 << 26)
        let file = try ELFFile(bytes: whole, name: "whole")
        let frames = file.section(named: ".eh_frame"), search = file.section(named: ".eh_frame_hdr")
        let section = try #require(frames)
        let region = Int(section.header.sh_offset)..<Int(section.header.sh_offset + section.header.sh_size)
        let header = try #require(search)
        let index = Int(header.header.sh_offset)..<Int(header.header.sh_offset + header.header.sh_size)
        var generator = SplitMix(state: 42)
        var tables = 0
        for round in 0..<600 {
            var copy = whole
            for _ in 0...(round % 12) {
                let place = Int.random(
                    in: Int.random(in: 0..<4, using: &generator) == 0 ? index : region, using: &generator)
                copy[place] =
                    [0, 1, 4, 0x0e, 0x0f, 0x16, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &generator)]
                    .randomElement(using: &generator) ?? 0
            }
            let damaged = try ELFFile(bytes: copy, name: "damaged")
            if let table = try? UnwindTable(damaged, damaged.image()) {
                tables += 1
                for address in stride(from: table.start, to: table.start + table.length, by: 97) {
                    _ = table.rule(at: address)
                }
            }
        }
        #expect(tables > 0)
    }

    @Test("truncated at any place")
    func truncated() throws {
        let whole = try OpenFile(reading: FilePath(Corpus.path("pie"))).readAll(limit: 1 << 26)
        for length in stride(from: 64, to: whole.count, by: 211) {
            guard let file = try? ELFFile(bytes: Array(whole[..<length]), name: "cut"), let image = try? file.image()
            else {
                continue
            }
            _ = try? UnwindTable(file, image)
        }
    }

    @Test("own mappings: every executable one has a region, the C library's a table")
    func regions() throws {
        let tables = UnwindTables(mostTables: 4095)
        let regions = try tables.regions(of: getpid())
        let executable = try ProcessMaps(pid: getpid()).mappings.filter { $0.isExecutable && $0.end < 1 << 56 }
        for mapping in executable {
            #expect(regions.contains { $0.start <= mapping.start && $0.end > mapping.start }, "\(mapping.path)")
        }
        #expect(tables.count > 3 && tables.refused == 0)
        #expect(zip(regions, regions.dropFirst()).allSatisfy { $0.end <= $1.start })
        // a second process with the same files makes none anew
        let before = tables.count
        _ = try tables.regions(of: getpid())
        #expect(tables.count == before)
        let few = UnwindTables(mostTables: 1)
        _ = try few.regions(of: getpid())
        #expect(few.count == 1 && few.refused > 0)
    }
}
