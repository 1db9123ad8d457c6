// SPDX-License-Identifier: Apache-2.0

/// A file of a traced process that was not read, or not for everything.
public struct FileLeftOut: Hashable, Sendable {
    /// As the process calls it.
    public let file: String
    /// What it would have been read for: JSON's key.
    public let part: String
    /// Why it was not: JSON's key.
    public let reason: String
    /// Functions; empty: the whole file.
    public let functions: [String]
    /// Why, and what is missing without it.
    public let words: String

    public init(file: String, part: String, reason: String, functions: [String] = [], words: String) {
        (self.file, self.part, self.reason) = (file, part, reason)
        (self.functions, self.words) = (functions, words)
    }
}

/// All of them since the start.
public struct FilesLeftOut: Hashable, Sendable {
    /// The first ones.
    public let files: [FileLeftOut]
    public let count: UInt64

    public init(files: [FileLeftOut] = [], count: UInt64 = 0) {
        (self.files, self.count) = (files, count)
    }

    /// A line a file.
    public var lines: [String] {
        let lines = files.map { file in
            let functions = file.functions.isEmpty ? "" : file.functions.joined(separator: " ") + " of "
            return "left out: " + functions + Printable.text(file.file) + ": " + file.words
        }
        let rest = count - UInt64(files.count)
        return lines + (rest > 0 ? ["left out: \(rest) more files"] : [])
    }

    var json: [JSONLine] {
        files.map { file in
            var line = JSONLine()
            line.add("file", file.file)
            line.add("part", file.part)
            line.add("reason", file.reason)
            line.add("functions", file.functions)
            return line
        }
    }
}
