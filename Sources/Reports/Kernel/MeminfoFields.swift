// SPDX-License-Identifier: Apache-2.0

/// The lines of /proc/meminfo by name (fs/proc/meminfo.c, `meminfo_proc_show`).
public struct MeminfoFields: Hashable, Sendable {
    private let bytes: [String: UInt64]

    /// Reads the file's text. A line that is none of the kernel's is left out, and so is a number that no memory has.
    public init(_ text: String) {
        var bytes: [String: UInt64] = [:]
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: true)
            guard words.count == 3, words[2].elementsEqual("kB".utf8), words[0].last == UInt8(ascii: ":"),
                let kilobytes = decimal(words[1])
            else { continue }
            let (value, overflow) = kilobytes.multipliedReportingOverflow(by: 1024)
            guard !overflow, value <= Self.largest else { continue }
            bytes[String(decoding: words[0].dropLast(), as: UTF8.self)] = value
        }
        self.bytes = bytes
    }

    /// The kernel's own address space has 2^52 bytes of memory at most, on every machine that this runs on.
    private static let largest: UInt64 = 1 << 52

    /// In bytes; nil where the kernel has no such line.
    public subscript(name: String) -> UInt64? { bytes[name] }
}

/// A number in decimal digits; nil where there is anything else, or more than 64 bits.
func decimal(_ digits: some Sequence<UInt8>) -> UInt64? {
    var value: UInt64 = 0, isEmpty = true
    for digit in digits {
        guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
        let (times, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = times.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
        guard !overflow, !carry else { return nil }
        (value, isEmpty) = (sum, false)
    }
    return isEmpty ? nil : value
}
