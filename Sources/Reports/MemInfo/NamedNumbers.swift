// SPDX-License-Identifier: Apache-2.0

/// Files of the kernel's whose lines are a name and a number, `Name:  12 kB` or `name 12`: /proc/PID/status,
/// smaps_rollup, memory.stat, cgroup.stat.
public struct NamedNumbers: Hashable, Sendable {
    private var numbers: [String: UInt64] = [:]

    /// Only those of these names are kept; in bytes, where the file says kB.
    ///
    /// - Parameter text: lines that are none of these are left out. The kernel spells a newline in a process's name
    ///   out, so that each line is its own.
    public init(_ text: [UInt8], names: Set<String>) {
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard words.count == 2 || words.count == 3, let value = decimal(words[1]) else { continue }
            let isNamed = words[0].last == UInt8(ascii: ":")
            let name = String(decoding: isNamed ? words[0].dropLast() : words[0], as: UTF8.self)
            guard names.contains(name), numbers[name] == nil else { continue }
            guard words.count == 3 else {
                numbers[name] = value
                continue
            }
            let (bytes, overflow) = value.multipliedReportingOverflow(by: 1024)
            if words[2].elementsEqual("kB".utf8), !overflow, bytes <= 1 << 52 { numbers[name] = bytes }
        }
    }

    /// nil where the file has no such line.
    public subscript(name: String) -> UInt64? { numbers[name] }
}
