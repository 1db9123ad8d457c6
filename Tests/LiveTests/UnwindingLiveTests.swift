// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Stacks of memleak against those that libdw's own unwinder (eu-stack) finds in the same
    /// process, frame by frame: Tests/Workloads/stacks stand still where they have allocated.
    @Suite(.serialized, .exercises("memleak")) struct Unwinding {
        static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Workloads/stacks").path
        /// Beside the test bundle, for the kernel matrix to find them; anew when a source changes.
        static let directory: String = {
            let hash = (try? FileManager.default.contentsOfDirectory(atPath: sources))?.sorted()
                .compactMap { FileManager.default.contents(atPath: sources + "/" + $0) }
                .reduce(UInt64(0xcbf2_9ce4_8422_2325)) { hash, text in
                    text.reduce(hash) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
                }
            return Tool.directory.appendingPathComponent("stacks-\(String(hash ?? 0, radix: 16))").path
        }()

        static let programs = [
            "pie": "gcc -O2 -fomit-frame-pointer $S/stacks.c",
            "stripped": "gcc -O2 -s $S/stacks.c",
            "fixed": "gcc -O2 -no-pie -fno-pie $S/stacks.c",
            "pointers": "gcc -O2 -fno-omit-frame-pointer $S/stacks.c",
            "debug": "gcc -O0 -g $S/stacks.c",
            "static": "gcc -O2 -static $S/stacks.c",
            "static-pie": "gcc -O2 -static-pie $S/stacks.c",
            "library.so": "gcc -O2 -fPIC -shared -DLIBRARY $S/stacks.c",
            "cxx-O0": "g++ -O0 $S/stacks.cc", "cxx-O2": "g++ -O2 $S/stacks.cc", "cxx-O3": "g++ -O3 $S/stacks.cc",
            "rust": "rustc -O -C link-arg=hold.o $S/stacks.rs",
            "swift": "swiftc -O $S/stacks.swift hold.o",
        ]

        /// Builds a program once.
        /// - Throws: `Unsupported` where its compiler is missing and need not be there.
        static func build(_ name: String) throws -> String {
            let command = try #require(programs[name])
            let output = "\(directory)/\(name)"
            if FileManager.default.isExecutableFile(atPath: output) { return output }
            let compiler = command.prefix { $0 != " " }
            let finished = try Tool.shell(
                """
                command -v \(compiler) >/dev/null || exit 99
                mkdir -p \(directory) && cd \(directory) && gcc -O2 -c -o hold.o \(sources)/hold.c &&
                S=\(sources) && \(command) -o \(output)
                """)
            if finished.status == 99 && (!Live.required || compiler == "rustc") {
                throw Unsupported("no \(compiler) here")
            }
            guard finished.status == 0 else { throw HarnessError(description: "\(command): \(finished.errors)") }
            return output
        }

        /// libdw's own unwinder; gdb where a signal came in between on arm64, whose vDSO has no call-frame information.
        private static func unwinder(_ arguments: [String]) -> String {
            #if arch(arm64)
                if ["signal", "altstack", "fault", "vdso"].contains(arguments.first) {
                    return ##"gdb -nx -batch -ex 'frame apply all -q printf "#0 0x%lx\n", (long)$pc'"##
                }
            #endif
            return "eu-stack -n 400"
        }

        struct Outcome {
            let frames: [Int]
            let truth: [Int]
            let symbols: [String?]
            let modules: [String?]
            let end: String?
            let losses: Losses
        }

        /// Traces a program to where it stands still, and asks both.
        static func trace(_ program: String, _ arguments: [String], stack: String = "auto", rung: String? = nil)
            throws -> Outcome
        {
            let target = try Running(program, arguments)
            try target.row(ReadyRow.self)
            let tool = try MemLeakTool.follow(target.pid, ["--stack", stack], rung: rung)
            target.send("x\n")
            try target.row(LeakedRow.self)
            let report = try MemLeakResult(tool.stop(SIGINT))
            guard let own = report.stacks.first(where: { $0.bytes == 54321 }) else {
                throw HarnessError(description: "the allocation is missing: \(report.stacks)")
            }
            let rows = own.frames ?? []
            let frames = rows.map { $0.address.value }
            let first = try #require(frames.first)
            let words = try Tool.shell("\(unwinder(arguments)) -p \(target.pid) 2>/dev/null; true").output
            // the innermost is where it stands now, a few instructions behind its call of malloc
            var truth: [Int] = []
            for thread in words.components(separatedBy: "TID ") {
                let addresses = thread.split(separator: "\n").compactMap { line -> Int? in
                    let fields = line.split(separator: " ")
                    guard fields.count > 1, fields[0].hasPrefix("#"), fields[1].hasPrefix("0x") else { return nil }
                    return Int(fields[1].dropFirst(2), radix: 16)
                }
                if let at = addresses.firstIndex(where: { (first..<first + 100).contains($0) }) {
                    truth = [first] + addresses[(at + 1)...]
                }
            }
            target.signal(SIGKILL)
            return Outcome(
                frames: frames, truth: truth, symbols: rows.map(\.symbol), modules: rows.map(\.module),
                end: own.stackEnd, losses: report.summary.losses)
        }

        /// A program of the list, and what it does when it allocates.
        struct Case: Sendable, CustomTestStringConvertible {
            let program: String
            let kind: String

            var testDescription: String { "\(program) \(kind)" }

            static func all(_ program: String, _ kinds: [String]) -> [Case] {
                kinds.map { Case(program: program, kind: $0) }
            }
        }

        private func check(_ one: Case, rung: String? = nil) throws {
            let outcome = try Self.trace(try Self.build(one.program), [one.kind], rung: rung)
            #expect(outcome.end == "whole")
            #expect(!outcome.truth.isEmpty)
            #expect(outcome.frames == outcome.truth, "\(outcome.symbols)")
            TestRecord.note("\(outcome.frames.count) frames")
        }

        static let plainCases: [Case] =
            Case.all(
                "pie",
                [
                    "plain", "qsort", "tsearch", "nftw", "once", "thread", "exit", "alloca", "aligned", "large",
                    "signal", "altstack", "fault", "noreturn",
                ])
            + Case.all("stripped", ["plain", "qsort", "signal", "alloca"])
            + Case.all("fixed", ["plain", "qsort", "signal", "aligned"])
            + Case.all("pointers", ["plain", "qsort", "signal"])
            + Case.all("debug", ["plain", "qsort", "alloca"])

        @Test(
            "C without frame pointers: position-independent, stripped, not position-independent",
            arguments: plainCases)
        func plainC(_ one: Case) throws { try check(one) }

        @Test(
            "static programs, position-independent or not", .tags(.brief), arguments: ["static", "static-pie"],
            ["plain", "qsort", "thread", "signal", "exit"])
        func statics(program: String, kind: String) throws { try check(Case(program: program, kind: kind)) }

        @Test(
            "C++: while an exception is on its way, in a handler, below std::sort",
            arguments: ["cxx-O0", "cxx-O2", "cxx-O3"], ["unwinding", "handling", "sorting"])
        func cxx(program: String, kind: String) throws { try check(Case(program: program, kind: kind)) }

        @Test("Rust: closures, a sort, a thread, a panic", arguments: ["closure", "sort", "thread", "panic"])
        func rust(kind: String) throws { try check(Case(program: "rust", kind: kind)) }

        @Test("Swift: closures, protocols, a sort", arguments: ["closure", "sort", "map"])
        func swift(kind: String) throws { try check(Case(program: "swift", kind: kind)) }

        @Test("a signal handler that interrupted the kernel's own library, the vDSO", arguments: ["pie", "static"])
        func vdso(program: String) throws {
            let outcome = try Self.trace(try Self.build(program), ["vdso"])
            #expect(outcome.frames == outcome.truth && outcome.end == "whole", "\(outcome)")
            let at = try #require(outcome.modules.firstIndex(of: "[vdso]"), "\(outcome.modules)")
            #expect(at > 2 && outcome.symbols.contains("main"))
            TestRecord.note("\(outcome.frames.count) frames")
        }

        @Test("every rung captures the same", .tags(.brief), arguments: try MemLeakTool.rungs())
        func rungs(rung: String) throws { try check(Case(program: "pie", kind: "qsort"), rung: rung) }

        @Test("deeper than 127 frames: those are right, and the rest is said to be missing", .tags(.brief))
        func deep() throws {
            let program = try Self.build("pie")
            let outcome = try Self.trace(program, ["deep"])
            #expect(outcome.frames.count == 127)
            #expect(outcome.frames == Array(outcome.truth.prefix(127)))
            #expect(outcome.end == "cut")
            #expect((outcome.losses["stack_cut"] ?? 0) > 0)
        }

        @Test("code of a JIT by frame pointers, a library loaded during the trace: within a second", .tags(.brief))
        func arriving() throws {
            let program = try Self.build("pie"), library = try Self.build("library.so")
            let jit = try Self.trace(program, ["jit"])
            #expect(jit.end == "whole")
            #expect(jit.symbols.last == "_start" && jit.symbols.contains("in_jit") && jit.symbols.contains("main"))
            // its first call came before the table, and was counted
            #expect((jit.losses["stack_no_mapping"] ?? 0) >= 1)
            let loaded = try Self.trace(program, ["library", library])
            #expect(loaded.frames == loaded.truth && loaded.end == "whole")
            #expect(loaded.symbols.contains("call_back"))
            // by tables only, a JIT's code is where the stack ends
            let tables = try Self.trace(program, ["jit"], stack: "dwarf")
            #expect(tables.end == "no_rule" && !tables.symbols.contains("in_jit"))
        }

        @Test("--stack fp is the walk by frame pointers")
        func pointers() throws {
            let program = try Self.build("pointers"), without = try Self.build("pie")
            let outcome = try Self.trace(program, ["plain"], stack: "fp")
            #expect(outcome.end == nil)
            #expect(outcome.frames.prefix(12) == outcome.truth.prefix(12))
            let short = try Self.trace(without, ["plain"], stack: "fp")
            #expect(short.frames.count < short.truth.count)
        }

        @Test("a child's stacks are whole from its first allocation on")
        func children() throws {
            let finished = try Tool.run(
                [
                    "memleak", "--json", "-T", "1000", "-o", "0", "--follow", "1000", "--", MemLeaks.leaker, "--kind",
                    "fork",
                    "--count", "50",
                ])
            let report = try MemLeakResult(finished)
            let truth = try #require(report.truth)
            let child = try #require(truth.child)
            let own = report.stacks.filter { $0.pid == child.pid }
            #expect(!own.isEmpty)
            for stack in own { #expect(stack.stackEnd == "whole") }
        }
    }
}
