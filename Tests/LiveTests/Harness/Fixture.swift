// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// A small program of Tests/Fixtures, compiled once by the machine's own compiler and kept beside the test bundle:
/// a kernel of the matrix, where compiling is slow, finds what the host has made.
struct Fixture: Sendable, CustomTestStringConvertible {
    let source: String
    let compiler: String
    let flags: [String]
    /// Nobody has to have this compiler.
    var isOptional = false

    static let builds: [Fixture] = [
        ["-O2", "-fno-omit-frame-pointer"], ["-O2", "-fomit-frame-pointer"], ["-O2", "-static"],
        ["-O2", "-s", "-rdynamic"],
    ].map { Fixture(source: "builds.c", compiler: "gcc", flags: $0) }
    static let cxx: [Fixture] = [
        ["-O2", "-fno-omit-frame-pointer"], ["-O2", "-fno-omit-frame-pointer", "-static"],
    ].map { Fixture(source: "leaks.cc", compiler: "g++", flags: $0) }
    static let allocations = Fixture(source: "allocations.c", compiler: "gcc", flags: ["-O2"])
    static let musl: [Fixture] = [["-O2"], ["-O2", "-static"]]
        .map { Fixture(source: "allocations.c", compiler: "musl-gcc", flags: $0) }
    static let moves = Fixture(source: "moves.c", compiler: "gcc", flags: ["-O2"])
    static let prefixed = Fixture(source: "prefixed.c", compiler: "gcc", flags: ["-O2"])
    static let jemallocOwn = Fixture(
        source: "own-functions-jemalloc.c", compiler: "gcc", flags: ["-O2", "-l:libjemalloc.so.2"])
    /// Debian 12 has its second major version, 13 the third.
    static let mimalloc =
        ["x86_64", "aarch64"].contains {
            FileManager.default.fileExists(atPath: "/usr/lib/\($0)-linux-gnu/libmimalloc.so.3")
        }
        ? "libmimalloc.so.3" : "libmimalloc.so.2"
    static let mimallocOwn = Fixture(
        source: "own-functions-mimalloc.c", compiler: "gcc", flags: ["-O2", "-l:\(mimalloc)"])
    static let steps = Fixture(source: "steps.c", compiler: "gcc", flags: ["-O2", "-g"])
    static let stepsMusl = Fixture(source: "steps.c", compiler: "musl-gcc", flags: ["-O2", "-g", "-Wl,--build-id"])
    static let stepsStatic = Fixture(source: "steps.c", compiler: "musl-gcc", flags: ["-O2", "-static"])
    static let loaderThatWaits = Fixture(
        source: "loader.c", compiler: "gcc",
        flags: ["-O1", "-nostdlib", "-static-pie", "-fPIE", "-fno-stack-protector"])
    static let loaderThatSpins = Fixture(
        source: "loader.c", compiler: "gcc", flags: loaderThatWaits.flags + ["-DSPINS"])
    static let contain = Fixture(source: "contain.c", compiler: "gcc", flags: ["-O2"])
    static let narrow = Fixture(source: "steps.c", compiler: "gcc", flags: ["-O2", "-m32"], isOptional: true)
    static let nameless = Fixture(source: "steps.c", compiler: "gcc", flags: ["-O2", "-s", "-Wl,--build-id"])
    static let ruleless = Fixture(source: "ruleless.c", compiler: "gcc", flags: ["-O2", "-fno-omit-frame-pointer"])
    static let beside = Fixture(source: "beside.c", compiler: "gcc", flags: ["-O2", "-pthread"])
    static let throwing = Fixture(source: "throws.cc", compiler: "g++", flags: ["-O2"])
    static let names = Fixture(source: "names.cc", compiler: "g++", flags: ["-O2"])
    static let crowds = Fixture(source: "crowds.c", compiler: "gcc", flags: ["-O2", "-g", "-pthread"])
    static let together = Fixture(source: "together.c", compiler: "gcc", flags: ["-O2", "-pthread"])
    static let grows = Fixture(source: "grows.c", compiler: "gcc", flags: ["-O2"])
    static let server = Fixture(source: "server.c", compiler: "gcc", flags: ["-O2"])
    static let rust: [Fixture] = ["legacy", "v0"].map {
        Fixture(
            source: "leaks.rs", compiler: "rustc",
            flags: [
                "-O", "-C", "force-frame-pointers=yes", "-Z", "unstable-options", "-C", "symbol-mangling-version=\($0)",
            ],
            isOptional: true)
    }
    static let swift = Fixture(source: "leaks.swift", compiler: "swiftc", flags: ["-O", "-module-name", "leaky"])

    static let all: [Fixture] =
        builds + cxx + musl + rust + [
            allocations, moves, prefixed, jemallocOwn, mimallocOwn, steps, stepsMusl, stepsStatic, contain, server,
            crowds, names,
            loaderThatWaits, loaderThatSpins, nameless, ruleless, beside, throwing, swift,
        ]

    var testDescription: String { ([compiler] + flags + [source]).joined(separator: " ") }

    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures")
    private static let programs = Tool.directory.appendingPathComponent("fixtures")

    /// The program's path.
    /// - Throws: `Unsupported` where its compiler isn't and need not be.
    func path() throws -> String {
        let source = Self.sources.appendingPathComponent(source)
        let text = try Data(contentsOf: source)
        // FNV-1a of all that decides what comes out
        let hash = (testDescription.utf8 + text).reduce(UInt64(0xcbf2_9ce4_8422_2325)) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        let name = (self.source as NSString).deletingPathExtension
        let program = Self.programs.appendingPathComponent("\(name)-\(String(hash, radix: 16))").path
        if FileManager.default.fileExists(atPath: program) { return program }

        try FileManager.default.createDirectory(at: Self.programs, withIntermediateDirectories: true)
        let partial = "\(program).\(getpid())"
        // libraries stand behind the source that needs them
        let words =
            flags.filter { !$0.hasPrefix("-l") } + ["-o", partial, source.path] + flags.filter { $0.hasPrefix("-l") }
        let finished = try Tool.shell(
            "export RUSTC_BOOTSTRAP=1; command -v \(compiler) >/dev/null || exit 99; \(compiler) \(words.joined(separator: " "))"
        )
        if finished.status == 99 && (isOptional || !Live.required) { throw Unsupported("no \(compiler) here") }
        guard finished.status == 0 else {
            throw HarnessError(description: "\(testDescription): \(finished.errors)")
        }
        try FileManager.default.moveItem(atPath: partial, toPath: program)
        return program
    }
}
