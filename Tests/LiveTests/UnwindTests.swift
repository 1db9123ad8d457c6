// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Stacks of memleak against those that libdw's own unwinder (eu-stack) finds in the same
    /// process, frame by frame: Tests/Workloads/stacks stand still where they have allocated.
    @Suite(.serialized) struct Unwinding {
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

        /// Builds a program once; nil where its compiler is missing and need not be there.
        static func build(_ name: String) throws -> String? {
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
            if finished.status == 99 && (!Live.required || compiler == "rustc") { return nil }
            guard finished.status == 0 else { throw HarnessError(description: "\(command): \(finished.errors)") }
            return output
        }

        struct Outcome {
            let frames: [Int]
            let truth: [Int]
            let symbols: [String?]
            let modules: [String?]
            let end: String?
            let summary: [String: Any]
        }

        /// Traces a program to where it stands still, and asks both.
        static func trace(_ program: String, _ arguments: [String], stack: String = "auto", rung: String? = nil)
            throws -> Outcome
        {
            let target = try Running(URL(fileURLWithPath: program), arguments)
            _ = try target.object("ready")
            let (tool, _) = try Tool.tracing(
                ["memleak", "-p", "\(target.pid)", "-o", "0", "-T", "1000", "--stack", stack, "1000"],
                environment: rung.map { ["SWIFTMEM_RUNG": "memleak.allocators=\($0)"] } ?? [:])
            target.send("x\n")
            _ = try target.object("leaked")
            let report = try MemLeakResult(tool.stop(SIGINT))
            guard let own = report.stacks.first(where: { $0.int("bytes") == 54321 }) else {
                throw HarnessError(description: "the allocation is missing: \(report.stacks)")
            }
            let rows = own.rows("frames")
            let frames = rows.compactMap { $0.hex("address") }
            let first = try #require(frames.first)
            let words = try Tool.shell("eu-stack -n 400 -p \(target.pid) 2>/dev/null; true").output
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
                frames: frames, truth: truth, symbols: rows.map { $0.text("symbol") },
                modules: rows.map { $0.text("module") }, end: own.text("stack_end"),
                summary: report.summary)
        }

        func check(_ name: String, _ kinds: [String], end: String = "whole") throws {
            guard let program = try Self.build(name) else { return }
            for kind in kinds {
                let outcome = try Self.trace(program, [kind])
                let same = outcome.frames == outcome.truth && outcome.end == end
                #expect(
                    same, "\(name) \(kind): \(outcome.end ?? "-") \(outcome.symbols) \(outcome.frames) \(outcome.truth)"
                )
                Live.record("memleak", "stack/auto", "\(name) \(kind)", same, "\(outcome.frames.count) frames")
            }
        }

        static let kinds = [
            "plain", "qsort", "tsearch", "nftw", "once", "thread", "exit", "alloca", "aligned", "large",
            "signal", "altstack", "fault", "noreturn",
        ]

        @Test("C without frame pointers: position-independent, stripped, not position-independent")
        func plainC() throws {
            try check("pie", Self.kinds)
            try check("stripped", ["plain", "qsort", "signal", "alloca"])
            try check("fixed", ["plain", "qsort", "signal", "aligned"])
            try check("pointers", ["plain", "qsort", "signal"])
            try check("debug", ["plain", "qsort", "alloca"])
        }

        @Test("static programs, position-independent or not")
        func statics() throws {
            let kinds = ["plain", "qsort", "thread", "signal", "exit"]
            try check("static", kinds)
            try check("static-pie", kinds)
        }

        @Test("C++: while an exception is on its way, in a handler, below std::sort")
        func cxx() throws {
            for optimisation in ["-O0", "-O2", "-O3"] {
                try check("cxx\(optimisation)", ["unwinding", "handling", "sorting"])
            }
        }

        @Test("Rust: closures, a sort, a thread, a panic")
        func rust() throws {
            try check("rust", ["closure", "sort", "thread", "panic"])
        }

        @Test("Swift: closures, protocols, a sort")
        func swift() throws {
            try check("swift", ["closure", "sort", "map"])
        }

        @Test("a signal handler that interrupted the kernel's own library, the vDSO")
        func vdso() throws {
            for name in ["pie", "static"] {
                guard let program = try Self.build(name) else { continue }
                let outcome = try Self.trace(program, ["vdso"])
                #expect(outcome.frames == outcome.truth && outcome.end == "whole", "\(name): \(outcome)")
                let at = try #require(outcome.modules.firstIndex(of: "[vdso]"), "\(outcome.modules)")
                #expect(at > 2 && outcome.symbols.contains("main"))
                Live.record(
                    "memleak", "stack/auto", "\(name) vdso", outcome.end == "whole", "\(outcome.frames.count) frames")
            }
        }

        @Test("every rung captures the same")
        func rungs() throws {
            guard let program = try Self.build("pie") else { return }
            for rung in MemLeaks.rungs where try MemLeakTool.isThere(rung) {
                let outcome = try Self.trace(program, ["qsort"], rung: rung)
                #expect(outcome.frames == outcome.truth && outcome.end == "whole", "\(rung): \(outcome)")
            }
        }

        @Test("deeper than 127 frames: those are right, and the rest is said to be missing")
        func deep() throws {
            guard let program = try Self.build("pie") else { return }
            let outcome = try Self.trace(program, ["deep"])
            #expect(outcome.frames.count == 127)
            #expect(outcome.frames == Array(outcome.truth.prefix(127)))
            #expect(outcome.end == "cut")
            #expect((outcome.summary.object("losses").int("stack_cut") ?? 0) > 0)
        }

        @Test("code of a JIT by frame pointers, a library loaded during the trace: within a second")
        func arriving() throws {
            guard let program = try Self.build("pie"),
                let library = try Self.build("library.so")
            else { return }
            let jit = try Self.trace(program, ["jit"])
            #expect(jit.end == "whole")
            #expect(jit.symbols.last == "_start" && jit.symbols.contains("in_jit") && jit.symbols.contains("main"))
            // its first call came before the table, and was counted
            #expect((jit.summary.object("losses").int("stack_no_mapping") ?? 0) >= 1)
            let loaded = try Self.trace(program, ["library", library])
            #expect(loaded.frames == loaded.truth && loaded.end == "whole")
            #expect(loaded.symbols.contains("call_back"))
            // by tables only, a JIT's code is where the stack ends
            let tables = try Self.trace(program, ["jit"], stack: "dwarf")
            #expect(tables.end == "no_rule" && !tables.symbols.contains("in_jit"))
        }

        @Test("--stack fp is the walk by frame pointers")
        func pointers() throws {
            guard let program = try Self.build("pointers"),
                let without = try Self.build("pie")
            else { return }
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
            let child = truth.object("child").int("pid")
            let own = report.stacks.filter { $0.int("pid") == child }
            #expect(!own.isEmpty)
            for stack in own { #expect(stack.text("stack_end") == "whole") }
        }
    }
}
