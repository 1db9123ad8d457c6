// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

@Suite struct DemanglerTests {
    @Test(arguments: [
        ("_Znwm", "operator new(unsigned long)"),
        ("_ZN6corpus3BoxIiE3addERKi", "corpus::Box<int>::add(int const&)"),
        ("_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector<int, std::allocator<int> >::push_back(int&&)"),
        ("_ZL6staticv", "static()"),
        ("_Z3foov.cold", "foo() [clone .cold]"),
        ("_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"),
        ("_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>"),
        ("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad"),
        (
            "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
            "<Test + 'static as foo::Bar<Test>>::bar"
        ),
        ("_ZN3foo3bar17h0123456789abcdefE.llvm.12345", "foo::bar"),
        ("$s4main3foo1aySi_tF", "main.foo(a: Swift.Int) -> ()"),
        ("$sSS", "Swift.String"),
        ("_$s4main3foo1aySi_tF", "main.foo(a: Swift.Int) -> ()"),
        ("$s4main3fooyyYaFTY0_", "(1) suspend resume partial function for main.foo() async -> ()"),
    ])
    func known(mangled: String, wanted: String) {
        #expect(Demangler.demangle(mangled) == wanted)
    }

    @Test(arguments: [
        "", "main", "_", "_Z", "_ZN", "_R", "_R_", "$s", "_T0", "@__swiftmacro_", "malloc", "__libc_start_main",
        "$sX9999", "_ZNK",
        "_RNvC99999999999999999999a",
    ])
    func notMangled(name: String) {
        #expect(Demangler.demangle(name) == nil)
    }

    @Test func languages() {
        #expect(Demangler.language(of: "_Znwm") == .cxx)
        #expect(Demangler.language(of: "_ZN3foo3bar17h0123456789abcdefE") == .rust)
        #expect(Demangler.language(of: "_ZN3foo3bar17hnothexadecimal!E") == .cxx)
        #expect(Demangler.language(of: "_RNvC1a1b") == .rust)
        #expect(Demangler.language(of: "$s4mainAAyyF") == .swift)
        #expect(Demangler.language(of: "strlen") == nil)
    }

    /// Each name of the corpus as its own toolchain prints it.
    @Test func agreesWithCxxfilt() throws {
        let names = try nm(try Corpus.path("cplusplus")).values.joined().filter { $0.hasPrefix("_Z") }
        #expect(names.count > 10)
        for name in names {
            #expect(Demangler.demangle(name) == (try run("c++filt '\(name)'").dropLast()).description)
        }
        #expect(names.contains { Demangler.demangle($0)?.hasPrefix("corpus::Box<std::") == true })
    }

    @Test func agreesWithSwiftDemangle() throws {
        guard try Corpus.has("swift") else { return try skip("swiftc") }
        let names = try nm(try Corpus.path("swift")).values.joined().filter { $0.hasPrefix("$s") }
        #expect(names.count > 3)
        for name in names {
            #expect(
                Demangler.demangle(name)
                    == (try run("swift demangle --compact --no-sugar '\(name)'").dropLast()).description)
        }
        #expect(names.contains { Demangler.demangle($0)?.contains("Keeper.keep(Swift.Int) -> Swift.Int") == true })
    }

    @Test(arguments: ["rust-v0", "rust-legacy"])
    func rust(program: String) throws {
        guard try Corpus.has(program) else { return try skip("rustc") }
        let names = try nm(try Corpus.path(program)).values.joined()
        let demangled = names.compactMap { Demangler.demangle($0) }
        #expect(demangled.contains("sample::corpus::plain"))
        #expect(
            demangled.contains(
                program == "rust-v0"
                    ? "<alloc::vec::Vec<core::option::Option<u8>> as sample::corpus::Grow>::grow"
                    : "<alloc::vec::Vec<T> as sample::corpus::Grow>::grow"))
        // Nothing that begins as Rust's stays raw.
        for name in names where name.hasPrefix("_R") { #expect(Demangler.demangle(name) != nil, "\(name)") }
    }

    /// The growth bound must not refuse what real libraries hold.
    @Test func swiftLibrariesPassTheBound() throws {
        let mappings = try ProcessMaps(pid: getpid()).mappings
        var (all, refused) = (0, 0)
        for path in Set(mappings.map(\.path))
        where path.lastComponent?.string.hasPrefix("lib") == true && path.description.contains("wift") {
            let table = try ELFSymbols(path: path, debugFiles: ELFSymbolsTests.none)
            for index in table.entries.indices {
                let name = table.name(at: index)
                guard Demangler.language(of: name) == .swift else { continue }
                all += 1
                let bound = SwiftNameGrowth.bound(name)
                if bound > SwiftNameGrowth.most { refused += 1 }
                if let text = Demangler.demangle(name) { #expect(UInt64(text.utf8.count) < 16 * bound, "\(name)") }
            }
        }
        print("Swift names: \(all), refused \(refused)")
        guard all > 0 else { return try skip("a shared Swift library") }
        #expect(Double(refused) < Double(all) * 0.01)
    }

    /// What the bound counts, by hand.
    @Test(
        arguments: [
            ("$s4main", 7),  // a byte each
            ("$sS8i", 13),  // eight times what is named
            ("$sS99999i", 2057),  // no more often than the demangler does it
            ("$s4main0a", 18),  // a letter behind 0 may be the longest word, of 10 letters
            ("$sAA", 7),  // the first thing named so far, at most the 3 bytes before its mention
            ("$sA2B", 11),  // twice
            ("$sA_", 4),  // the 27th can't be: there were not so many
            ("$sA" + String(repeating: "_", count: 27), 33),
        ] as [(String, UInt64)])
    func growth(name: String, bound: UInt64) {
        #expect(SwiftNameGrowth.bound(name) == bound)
    }

    // MARK: Hostile names

    /// Nested pairs, each of the one before: 2^40 leaves.
    @Test func swiftBomb() {
        let head = "$s1a1fyyAA1BVy" + String(repeating: "ADy", count: 15) + "S2iG"
        let tail = "AEGAFGAGGAHGAIGAJGAKGALGAMGANGAOGAPGAQGARGASG"
        #expect(Demangler.demangle("$s1a1fyyAA1BVyADyADyS2iGAEGAFGF")?.count ?? 0 > 50)
        let bomb = head + tail + "A" + (0..<25).map { "A\($0)_G" }.joined() + "F"
        let clock = ContinuousClock()
        #expect(clock.measure { _ = Demangler.demangle(bomb) } < .seconds(1))
        let made =
            "$s1a1fyyAA1BVyADyADyADyADyADyADyADyADyADyADyADyADyADyADyADyADyADyS2iGAEGAFGAGGAHGAIGAJGAKGALGAMGANGAOGAPGAQGARGASGATGAUGF"
        // 4 MB by the runtime.
        #expect(Demangler.demangle(made) == nil)
    }

    /// Each level of templates names the one before twice.
    @Test func cxxBomb() {
        var name = "_Z1fI1aS_E"
        for level in 0..<60 {
            name = "_Z1f" + "I" + String(repeating: "1b", count: 1) + "S\(level)_S\(level)_E" + name.dropFirst(4)
        }
        let clock = ContinuousClock()
        #expect(clock.measure { _ = Demangler.demangle(name + "v") } < .seconds(1))
        var pairs = "1a"
        for level in 0..<40 { pairs = "N1bI\(pairs)S\(level == 0 ? "" : String(level - 1, radix: 36).uppercased())_EE" }
        #expect(clock.measure { _ = Demangler.demangle("_Z1f\(pairs)") } < .seconds(1))
    }

    /// libiberty counts up to a number of lifetimes of twelve digits, and prints nothing meanwhile.
    @Test func rustBinderBomb() {
        #expect(
            Demangler.demangle(
                "_RNvMsr_YYYYYYYYYYYYYYYYYYYYYYYYFGLONvMsr_B4_RNvMsr_MB4_RNvMsr_B4_RNvMBs9vNR_FGa") == nil)
        // two digits are few
        #expect(Demangler.demangle("_RMC0FG_RL0_hEu") == "<for<'a> fn(&'a u8)>")
        #expect(Demangler.demangle("_RMC0FG0_RL1_hEu") == "<for<'a, 'b> fn(&'a u8)>")
        #expect(Demangler.demangle("_RMC0FGZZZ_RL0_hEu") == nil)
        #expect(Demangler.demangle("_RMC0DGZZZ_C1aEL_") == nil)
    }

    /// Back-references to a tuple of two of the back-reference before: the form libiberty must be stopped in.
    @Test func rustBomb() {
        var name = "_RIC1a"
        var previous = "T" + "hhE"
        var position = 4
        for _ in 0..<40 {
            name += previous
            // Positions are base 62, from the byte after `_R`, minus one.
            previous = "TB\(base62(position))B\(base62(position))E"
            position = name.utf8.count - 2
        }
        name += previous + "E"
        let clock = ContinuousClock()
        var result: String?
        #expect(clock.measure { result = Demangler.demangle(name) } < .seconds(1))
        #expect(result == nil)
        // The same with a few levels is read: the bomb is well-formed.
        #expect(Demangler.demangle("_RIC1aThhETB3_B3_EE") == "a::<(u8, u8), ((u8, u8), (u8, u8))>")
    }

    private func base62(_ value: Int) -> String {
        guard value > 0 else { return "_" }
        let digits = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        var (rest, text) = (value - 1, "")
        repeat {
            text = String(digits[rest % 62]) + text
            rest /= 62
        } while rest > 0
        return text + "_"
    }

    @Test func deepNesting() {
        for unit in ["N1a", "I1a", "P", "F", "K", "S_", "T", "M1a", "Dp", "X1a"] {
            #expect(
                Demangler.demangle("_Z1f" + String(repeating: unit, count: 8000 / unit.count)).map {
                    $0.count < 1 << 16
                } ?? true)
        }
        for unit in ["Sg", "y", "m", "Xx", "Say", "_t", "c", "Tm"] {
            _ = Demangler.demangle("$s4main3foo" + String(repeating: unit, count: 8000 / unit.count))
        }
        for unit in ["T", "R", "S", "A", "F", "INv", "Nv"] {
            _ = Demangler.demangle("_R" + String(repeating: unit, count: 8000 / unit.count))
        }
        #expect(Demangler.demangle("_Z" + String(repeating: "P", count: 1 << 20)) == nil)
    }

    @Test func noise() {
        var generator = SplitMix(state: 23)
        let seeds = [
            "_ZNSt6vectorIiSaIiEE9push_backEOiIJDpT_EEN1aILi3EEE", "_RINvNtC3std3mem8align_ofTdB3_hEE",
            "$s4main3foo1aySDySSSayAA1BVyADSiGGG_tYaKFTY0_", "_ZN3foo3bar17h0123456789abcdefE",
        ]
        let clock = ContinuousClock()
        var (slowest, which) = (Duration.zero, "")
        for round in 0..<20_000 {
            var name = Array(seeds[round % seeds.count].utf8)
            for _ in 0...(round % 7) {
                let at = Int.random(in: 2..<name.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: name[at] = UInt8.random(in: 33..<127, using: &generator)
                case 1: name.remove(at: at)
                default: name.insert(contentsOf: name[at..<min(at + 5, name.count)], at: at)
                }
            }
            let text = String(decoding: name, as: UTF8.self)
            let took = clock.measure { _ = Demangler.demangle(text) }
            if took > slowest { (slowest, which) = (took, text) }
        }
        #expect(slowest < .seconds(2), "\(which)")
        print("slowest name: \(slowest) \(which)")
    }
}
