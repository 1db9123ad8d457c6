// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Symbols

@Suite struct DemanglerBoundaryTests {
    /// A function of a module, its name as long as that.
    private func swift(_ length: Int) -> (mangled: String, name: String) {
        let name = String(repeating: "f", count: length)
        return ("$s4main\(length)\(name)yyF", "main.\(name)() -> ()")
    }

    @Test("the longest name that is tried, and one more byte")
    func longest() {
        let last = swift(Demangler.longestName - 14)
        #expect(last.mangled.utf8.count == Demangler.longestName && Demangler.demangle(last.mangled) == last.name)
        let longer = swift(Demangler.longestName - 13)
        #expect(longer.mangled.utf8.count == Demangler.longestName + 1 && Demangler.demangle(longer.mangled) == nil)
    }

    @Test("Rust of old: a hash of sixteen digits behind something, with LLVM's suffix or without")
    func legacyRust() {
        let hash = "17h0123456789abcdefE"
        #expect(Demangler.language(of: "_ZN\(hash)") == .cxx && Demangler.language(of: "_ZNa\(hash)") == .rust)
        #expect(Demangler.language(of: "_ZN1a\(hash)") == .rust)
        #expect(
            Demangler.language(of: "_ZN1a\(hash).llvm.1") == .rust
                && Demangler.language(of: "_ZN1a\(hash).cold") == .cxx)
        #expect(Demangler.language(of: "_ZN1a17h0123456789abcdegE") == .cxx)
        #expect(Demangler.language(of: "_ZN1a17hg123456789abcdefE") == .cxx)
        #expect(Demangler.language(of: "_ZN1a16h0123456789abcdefE") == .cxx)
        #expect(
            Demangler.language(of: "_ZN1a17h0123456789abcdefF") == .cxx && Demangler.language(of: "_Z1a\(hash)") == .cxx
        )
    }

    @Test("prefixes of each language")
    func prefixes() {
        for prefix in ["$s", "_$s", "$S", "_$S", "$e", "_$e", "_T0", "@__swiftmacro_"] {
            #expect(Demangler.language(of: prefix) == .swift)
        }
        #expect(Demangler.language(of: "_R") == .rust && Demangler.language(of: "_Z") == .cxx)
        for none in ["_", "$", "$t", "_T1", "__Z", "R"] { #expect(Demangler.language(of: none) == nil) }
    }

    /// By the same rules in another language: a byte each, what is repeated, what is named again, words behind a 0.
    @Test(
        "how long a Swift name could become",
        arguments: [
            ("", 0),
            ("a", 1),
            ("ab", 2),
            ("S", 1),
            ("S2047i", 2058),
            ("S2048i", 2059),
            ("S2049i", 2059),
            ("xAA", 5),
            ("xA2A", 8),
            ("xA3A", 10),
            ("xA2048A", 4107),
            ("xA2049A", 4107),
            ("xAaA", 8),
            ("xAabB", 15),
            ("xxAbA", 11),
            ("xA5aB", 27),
            ("0aB", 7),
            ("0abC", 13),
            ("0ab_c", 14),
            ("0abcDe_fgh", 42),
            ("0[a{", 8),
            ("0@A`z", 9),
            ("xAAAA", 11),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxxA_", 55),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxA_", 53),
            ("xxxxxxxxxxxxxxxxxxxxxxxxA_", 26),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxA_", 83),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxA0_", 84),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxA0_", 54),
            ("xxxxxxxxxxxxxxxxxxxxxxxxAZ", 51),
            ("xxxxxxxxxxxxxxxxxxxxxxxAZ", 25),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxAzA", 95),
            ("x1A1", 4),
            ("xA-A", 4),
            ("A", 1),
            ("Ab", 3),
            ("S18446744073709551616i", 43),
            ("S9S9", 22),
        ] as [(String, UInt64)])
    func growth(name: String, bound: UInt64) { #expect(SwiftNameGrowth.bound(name) == bound) }
}
