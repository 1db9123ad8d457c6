// SPDX-License-Identifier: Apache-2.0
import CSymbols
import CUnwind
import SystemPackage
import TraceRecords
import Glibc
import TestSupport
import Testing

@testable import Symbols
@testable import Unwind

/// Frames told from instructions, where call-frame information is missing.
@Suite struct UnwindGapsTests {
    private static func rows(_ code: [UInt8], at address: UInt64 = 0x1000) -> [unwind_row] {
        [unwind_row](unsafeUninitializedCapacity: code.count + 1) { rows, count in
            code.withUnsafeBufferPointer { bytes in
                var stretch = unwind_code(bytes: bytes.baseAddress, size: bytes.count, address: address)
                if let to = rows.baseAddress { count = unwind_code_rows(&stretch, 1, to, rows.count) }
            }
        }
    }

    /// Where a rule holds: frame address by `fp` or stack pointer + offset, frame pointer saved or not.
    private static func shown(_ rows: [unwind_row]) -> [String] {
        rows.map { row in
            let base = row.rule & 15 == UInt64(UNWIND_FP.rawValue) ? "fp" : "sp"
            let saved =
                row.rule >> 4 & 15 == UInt64(UNWIND_AT_CFA.rawValue) ? " c\(Int64(bitPattern: row.rule) >> 40)" : ""
            return
                "\(row.start - 0x1000)..<\(row.end - 0x1000) \(base)+\(Int64(bitPattern: row.rule << 24) >> 40)\(saved)"
        }
    }

    @Test("an accessor whose frame begins behind a branch; padding; one that only calls on")
    func shrinkWrapped() {
        let code: [UInt8] = [
            0x48, 0x8b, 0x07,  // mov (%rdi),%rax
            0x48, 0x85, 0xc0,  // test %rax,%rax
            0x78, 0x01,  // js +1
            0xc3,  // ret
            0x55,  // 9: push %rbp
            0x48, 0x89, 0xe5,  // 10: mov %rsp,%rbp
            0x53,  // 13: push %rbx
            0x50,  // push %rax
            0xe8, 0x00, 0x10, 0x00, 0x00,  // 15: call
            0x48, 0x83, 0xc4, 0x08,  // add $8,%rsp
            0x5b,  // pop %rbx
            0x5d,  // 25: pop %rbp
            0xc3,  // 26: ret
            0x0f, 0x1f, 0x44, 0x00, 0x00,  // 27: padding
            0x50,  // 32: push %rax
            0xe8, 0x00, 0x20, 0x00, 0x00,  // 33: call
            0x58,  // 38: pop %rax
            0xe9, 0x00, 0x20, 0x00, 0x00,  // 39: jmp: a tail call
        ]
        #expect(
            Self.shown(Self.rows(code)) == [
                "0..<10 sp+8", "10..<13 sp+16 c-16", "13..<26 fp+16 c-16", "26..<27 sp+8", "32..<33 sp+8",
                "33..<39 sp+16",
                "39..<44 sp+8",
            ])
    }

    @Test("code that does not fit gives nothing")
    func doubtful() {
        // returns with something still on the stack
        #expect(Self.rows([0x50, 0xe8, 0, 0x10, 0, 0, 0xc3]).isEmpty)
        // the stack pointer from a register
        #expect(Self.rows([0x48, 0x89, 0xfc, 0xe8, 0, 0x10, 0, 0, 0xc3]).isEmpty)
        // the frame pointer is lost
        #expect(Self.rows([0x31, 0xed, 0xe8, 0, 0x10, 0, 0, 0xc3]).isEmpty)
        // two ways to one place, with different stacks: je +1; push %rax; call; add $8,%rsp; ret
        #expect(Self.rows([0x74, 0x01, 0x50, 0xe8, 0, 0x10, 0, 0, 0x48, 0x83, 0xc4, 0x08, 0xc3]).isEmpty)
        // never returns, and begins as no function does
        #expect(Self.rows([0x50, 0xe8, 0, 0x10, 0, 0, 0x0f, 0x0b]).isEmpty)
        // runs out of the stretch, text, nothing
        #expect(Self.rows([0x50, 0x90, 0x50]).isEmpty)
        #expect(Self.rows(Array("constants of an assembly, 16 bytes and more".utf8)).isEmpty)
        #expect(Self.rows([0x90]).isEmpty && Self.rows([]).isEmpty)
    }

    @Test("noise: bounded, and rows within the code, in order")
    func noise() {
        var generator = SplitMix(state: 7)
        let common: [UInt8] = [
            0x55, 0x48, 0x89, 0xe5, 0x5d, 0xc3, 0x50, 0x58, 0x74, 0xeb, 0xe8, 0, 0, 0, 0xff, 0xe0, 0x90, 0x83, 0xec, 8,
        ]
        for _ in 0..<400 {
            let code = (0..<Int.random(in: 1...600, using: &generator)).map { _ in
                Bool.random(using: &generator)
                    ? common.randomElement(using: &generator) ?? 0 : UInt8.random(in: 0...255, using: &generator)
            }
            var end: UInt64 = 0x1000
            for row in Self.rows(code) {
                #expect(row.start >= end && row.end > row.start)
                end = row.end
            }
            #expect(end <= 0x1000 + UInt64(code.count))
        }
    }

    private func rule(_ offset: UInt64) -> UInt64 { UInt64(UNWIND_SP.rawValue) | offset << 16 }

    /// Functions that do have call-frame information, as though they had none: what is told of them must be the same.
    private func agreement(_ path: String) throws -> (told: Int, wrong: [String], all: Int) {
        let file = try ELFFile(path: FilePath(path))
        let table = try UnwindTable(file, file.image())
        let found = file.section(named: ".text")
        let section = try #require(found)
        let contents = file.contents(section)
        let text = try #require(contents)
        let start = section.header.sh_addr
        var (told, wrong, all) = (0, [String](), 0)
        for line in try run("readelf -wf '\(path)' 2>/dev/null | grep -o 'pc=.*'; true").split(separator: "\n") {
            let ends = line.dropFirst(3).split(separator: ".").compactMap { UInt64($0, radix: 16) }
            guard ends.count == 2, ends[0] >= start, ends[1] > ends[0], ends[1] <= start + UInt64(text.count) else {
                continue
            }
            all += Int(ends[1] - ends[0])
            // parts of functions begin with a frame; in code without information they are no functions either
            guard [rule(8), UInt64(UNWIND_NONE.rawValue)].contains(table.rule(at: ends[0])) else { continue }
            let code = Array(text[Int(ends[0] - start)..<Int(ends[1] - start)])
            for row in Self.rows(code, at: ends[0]) {
                for address in row.start..<row.end {
                    told += 1
                    let want = table.rule(at: address)
                    let (mine, theirs) = (row.rule, want)
                    // where the frame pointer is one, the stack pointer does as well
                    let same =
                        mine & 0xff_ffff_000f == theirs & 0xff_ffff_000f
                        || mine & 15 == UInt64(UNWIND_FP.rawValue) && theirs & 15 == UInt64(UNWIND_SP.rawValue)
                    if !same {
                        wrong.append("\(String(address, radix: 16)): \(Self.shown([row])) \(String(theirs, radix: 16))")
                    }
                }
            }
        }
        return (told, wrong, all)
    }

    @Test("the C library's functions, as call-frame information has them")
    func library() throws {
        #if arch(x86_64)
            let path = "/lib/x86_64-linux-gnu/libc.so.6"
            guard access(path, F_OK) == 0 else { return try skip(path) }
            let (told, wrong, all) = try agreement(path)
            #expect(told > all / 3, "\(told) of \(all)")
            #expect(wrong.count * 1000 < told, "\(wrong.count) of \(told): \(wrong.prefix(20))")
        #endif
    }
}
