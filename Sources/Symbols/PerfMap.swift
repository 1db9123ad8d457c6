// SPDX-License-Identifier: Apache-2.0
import Glibc
internal import SystemLayer
internal import SystemPackage

/// The functions a just-in-time compiler has written down in /tmp/perf-PID.map: lines `START SIZE name`, hexadecimal
/// (tools/perf/Documentation/jit-interface.txt). Where entries overlap, the later one wins: code is compiled again.
public struct PerfMap: Sendable {
    /// Longer files are refused.
    static let longestText = 1 << 27

    private struct Entry {
        var start: UInt64
        var size: UInt64
        var nameOffset: UInt32
        var nameLength: UInt16
    }

    private var entries: [Entry] = []
    private let text: [UInt8]

    /// From a file's text. Lines that don't parse are left out.
    public init(text: [UInt8]) {
        self.text = text
        for line in text.split(separator: UInt8(ascii: "\n")) {
            var scanner = ByteScanner(line)
            scanner.skipSpaces()
            guard let start = Self.number(&scanner), scanner.skip(" "), let size = Self.number(&scanner),
                scanner.skip(" "),
                size > 0, start &+ size > start, !scanner.rest.isEmpty,
                let nameOffset = UInt32(exactly: scanner.rest.startIndex)
            else { continue }
            entries.append(
                Entry(
                    start: start, size: size, nameOffset: nameOffset, nameLength: UInt16(clamping: scanner.rest.count)))
        }
        // Stable by position in the file, so that among equal starts the last line is the last.
        entries.sort { ($0.start, $0.nameOffset) < ($1.start, $1.nameOffset) }
    }

    private static func number(_ scanner: inout ByteScanner) -> UInt64? {
        // Some compilers write 0x.
        var prefixed = scanner
        if prefixed.skip("0"), prefixed.skip("x"), let value = prefixed.hex() {
            scanner = prefixed
            return value
        }
        return scanner.hex()
    }

    /// Reads the map of a process, in its own mount and pid namespace.
    ///
    /// Nil where there is none. /tmp is everybody's: a file that belongs neither to the process's user nor to root is as
    /// good as none, as for perf.
    public init?(pid: Int32) {
        guard let path = Self.path(pid: pid), let text = Self.read(path, pid: pid) else { return nil }
        self.init(text: text)
    }

    /// /proc/PID/root/tmp/perf-N.map, N the number that the process has for itself (`NSpid`, the last).
    static func path(pid: Int32) -> FilePath? {
        let process = ProcessFiles(pid)
        guard let inner = process.status?.words("NSpid")?.last else { return nil }
        return process.path("root/tmp/perf-\(inner).map")
    }

    private static func read(_ path: FilePath, pid: Int32) -> [UInt8]? {
        guard let file = try? OpenFile(reading: path), let status = try? file.status(),
            status.st_mode & S_IFMT == S_IFREG, let process = try? OpenFile(reading: ProcessFiles(pid).directory),
            let owner = try? process.status(), status.st_uid == 0 || status.st_uid == owner.st_uid
        else { return nil }
        return try? file.readAll(limit: longestText)
    }

    /// Number of functions, superseded ones included.
    public var count: Int { entries.count }

    /// The function that holds `address`, and the distance from its start.
    public func symbol(address: UInt64) -> (name: String, offset: UInt64)? {
        var index = entries.partitionPoint { $0.start > address }
        for _ in 0..<8 {
            guard index > 0 else { return nil }
            index -= 1
            let entry = entries[index]
            if address - entry.start < entry.size {
                let start = Int(entry.nameOffset)
                return (
                    String(decoding: text[start..<(start + Int(entry.nameLength))], as: UTF8.self),
                    address - entry.start
                )
            }
        }
        return nil
    }
}
