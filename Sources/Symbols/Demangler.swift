// SPDX-License-Identifier: Apache-2.0
import CSymbols
import Glibc

/// Linker names as people write them: C++ (Itanium ABI), Rust (legacy and v0), Swift.
///
/// C++ and Rust go through libiberty, which binutils and gdb use; Swift through the runtime. Names come from files that
/// may be hostile: what is longer than `longestName`, or would grow beyond `longestResult`, stays as it is.
public enum Demangler {
    /// Bytes of a mangled name; longer ones aren't tried. Real ones of Boost and Eigen reach some 4 kB.
    public static let longestName = 1 << 13
    /// Bytes of a demangled name.
    public static let longestResult = 1 << 16

    public enum Language: Hashable, Sendable {
        case cxx, rust, swift
    }

    /// The language whose prefix `name` bears, before any demangling. Legacy Rust looks like C++: it ends in `17h`, sixteen
    /// hexadecimal digits and `E`.
    public static func language(of name: String) -> Language? {
        let bytes = name.utf8
        if bytes.starts(with: "_R".utf8) { return .rust }
        if bytes.starts(with: "_Z".utf8) { return isLegacyRust(name) ? .rust : .cxx }
        for prefix in ["$s", "_$s", "$S", "_$S", "$e", "_$e", "_T0", "@__swiftmacro_"]
        where bytes.starts(with: prefix.utf8) {
            return .swift
        }
        return nil
    }

    /// `name` demangled, or nil when it isn't mangled or can't be demangled within the limits.
    public static func demangle(_ name: String) -> String? {
        guard let language = language(of: name), name.utf8.count <= longestName else { return nil }
        switch language {
        case .swift: return swift(name)
        case .cxx: return iberty(name, CSYMBOLS_CXX)
        case .rust:
            return iberty(name, CSYMBOLS_RUST) ?? (name.utf8.starts(with: "_Z".utf8) ? iberty(name, CSYMBOLS_CXX) : nil)
        }
    }

    /// `_ZN…17h0123456789abcdefE`, perhaps with a suffix of LLVM's.
    private static func isLegacyRust(_ name: String) -> Bool {
        guard name.utf8.starts(with: "_ZN".utf8) else { return false }
        var body = Array(name.utf8)
        if let suffix = body.firstIndex(of: UInt8(ascii: ".")), body[suffix...].starts(with: ".llvm.".utf8) {
            body.removeSubrange(suffix...)
        }
        guard body.count > 23, body.last == UInt8(ascii: "E") else { return false }
        let tail = body.dropLast().suffix(19)
        return tail.starts(with: "17h".utf8) && tail.dropFirst(3).allSatisfy { hexDigit($0) != nil }
    }

    private static func iberty(_ name: String, _ language: csymbols_language) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: longestResult) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let length = csymbols_demangle(language, name, start, buffer.count)
            guard length > 0 else { return nil }
            // SAFETY: the shim has written `length` bytes at `start`.
            return String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
        }
    }

    private static func swift(_ name: String) -> String? {
        guard SwiftNameGrowth.bound(name) <= SwiftNameGrowth.most,
            let text = swift_demangle(name, name.utf8.count, nil, nil, 0)
        else { return nil }
        defer { free(text) }
        // The runtime gives the name itself back when it can't read it.
        guard strnlen(text, longestResult) < longestResult, strcmp(text, name) != 0 else { return nil }
        return String(cString: text)
    }
}

/// How long a Swift name could become.
///
/// The runtime's demangler has no limit of its own, and a substitution (`AD`: the fourth thing named so far) stands for
/// all that thing's text: 30 of them, each of the last, make 34 GB of 200 bytes. A thing can't be longer than everything
/// before the first mention of it or of a later one; a letter after a `0` may be a word of an earlier identifier; `S8i` is
/// eight times `Si`. So the sum below is never too small. Every letter is taken for whatever it could be at worst: one in
/// two hundred of the names of Swift's own libraries is refused, and stays mangled.
enum SwiftNameGrowth {
    /// In mangled bytes, each worth up to some ten demangled ones.
    static let most: UInt64 = 1 << 23

    static func bound(_ name: String) -> UInt64 {
        let bytes = Array(name.utf8)
        var total: UInt64 = 0
        var things: [UInt64] = []
        let longestWord = longestWord(bytes)
        var hasWords = false
        for start in bytes.indices {
            if bytes[start] == UInt8(ascii: "0") { hasWords = true }
            total += hasWords && isLetter(bytes[start]) ? longestWord : 1
            if bytes[start] == UInt8(ascii: "S") {
                var scanner = ByteScanner(bytes[(start + 1)...])
                total += min(scanner.decimal() ?? 0, 2048)
            }
            guard bytes[start] == UInt8(ascii: "A") else { continue }
            var scanner = ByteScanner(bytes[(start + 1)...])
            reading: while total <= most {
                let number = scanner.decimal()
                guard let byte = scanner.rest.first, scanner.take(1) != nil else { break }
                let index: UInt64
                var isLast = true
                var times: UInt64 = 1
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"):
                    index = UInt64(byte - UInt8(ascii: "a"))
                    times = number ?? 1
                    isLast = false
                case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                    index = UInt64(byte - UInt8(ascii: "A"))
                    times = number ?? 1
                case UInt8(ascii: "_"):
                    index = 26 + (number.map { min($0, most) + 1 } ?? 0)
                default:
                    break reading
                }
                // The demangler refuses more repetitions than this, and a thing that wasn't named.
                times = min(times, 2048)
                guard index < bytes.count else { break }
                while things.count <= index { things.append(total) }
                total += times * things[Int(index)]
                if isLast { break }
            }
            if total > most { break }
        }
        return total
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// Words begin with a capital and don't hold a second one, nor `_`.
    private static func longestWord(_ bytes: [UInt8]) -> UInt64 {
        var (longest, run): (UInt64, UInt64) = (1, 1)
        for byte in bytes {
            let ends = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "_")
            run = ends ? 1 : run + 1
            longest = max(longest, run)
        }
        return longest
    }
}
