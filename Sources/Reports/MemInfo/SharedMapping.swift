// SPDX-License-Identifier: Apache-2.0

/// A shared file of a tmpfs as a line of /proc/PID/maps has it.
public struct SharedMapping: Hashable, Sendable {
    /// The mapping's name in /proc/PID/map_files.
    public var range: String
    /// `major:minor`, hexadecimal, as the file has it.
    public var device: String
    public var inode: UInt64
    public var path: String

    /// Those that files of these devices have, one for each file.
    ///
    /// - Parameter text: of /proc/PID/maps. A line that is none of the kernel's is left out.
    public static func of(devices: Set<String>, in text: [UInt8]) -> [SharedMapping] {
        let wanted = devices.map { Array($0.utf8) }
        var seen: Set<File> = []
        var found: [SharedMapping] = []
        text.withUnsafeBufferPointer { bytes in
            var start = 0
            while start < bytes.count {
                var end = start, blanks = 0, device = 0
                // most lines are of no such file: no more is looked at than where they say so
                while end < bytes.count, bytes[end] != UInt8(ascii: "\n") {
                    if bytes[end] == UInt8(ascii: " ") {
                        blanks += 1
                        if blanks == 3 { device = end + 1 }
                    }
                    end += 1
                }
                if device > 0, wanted.contains(where: { begins(bytes[device..<end], $0) }),
                    let mapping = SharedMapping(line: bytes[start..<end]),
                    seen.insert(File(device: mapping.device, inode: mapping.inode)).inserted
                {
                    found.append(mapping)
                }
                start = end + 1
            }
        }
        return found
    }

    private struct File: Hashable {
        let device: String
        let inode: UInt64
    }

    private init?(line: Slice<UnsafeBufferPointer<UInt8>>) {
        // address, permissions, offset, device, inode, path
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: true)
        guard words.count == 6, let inode = decimal(words[4]), inode != 0 else { return nil }
        range = Self.range(words[0])
        device = String(decoding: words[3], as: UTF8.self)
        self.inode = inode
        path = String(decoding: words[5].drop { $0 == UInt8(ascii: " ") }, as: UTF8.self)
    }

    /// Its name in map_files has no zeros before its numbers; nothing where it is none.
    private static func range(_ address: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        address.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
            .map { part in
                let digits = part.drop { $0 == UInt8(ascii: "0") }
                return digits.isEmpty ? "0" : String(decoding: digits, as: UTF8.self)
            }
            .joined(separator: "-")
    }

    /// Is it of a file whose name is gone?
    public var isDeleted: Bool { path.hasSuffix(" (deleted)") }
}

/// Does a line go on with this word?
private func begins(_ rest: Slice<UnsafeBufferPointer<UInt8>>, _ word: [UInt8]) -> Bool {
    guard rest.count > word.count, rest[rest.startIndex + word.count] == UInt8(ascii: " ") else { return false }
    for (index, byte) in word.enumerated() where rest[rest.startIndex + index] != byte { return false }
    return true
}
