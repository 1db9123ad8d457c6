// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

/// The programs that Corpus/build.sh makes, built once a test run.
package enum Corpus {
    /// The directory of the sources.
    package static let sources =
        String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex)) + "/Corpus"

    private static let built: Result<String, CommandError> = {
        let out = "/tmp/symbols-corpus-\(getpid())"
        atexit { _ = try? run("rm -rf /tmp/symbols-corpus-\(getpid())") }
        return Result { () throws(CommandError) in
            _ = try run("sh '\(sources)/build.sh' \(out) 2>&1")
            return out
        }
    }()

    /// The path of one program.
    package static func path(_ name: String) throws -> String { try built.get() + "/" + name }

    /// What is needed to build it is missing: Rust, most likely.
    package static func has(_ name: String) throws -> Bool { access(try path(name), F_OK) == 0 }
}

package struct CommandError: Error {
    package let command: String
    package let status: Int32
    package let output: String
}

/// The standard output of a shell command that succeeds.
package func run(_ command: String) throws(CommandError) -> String {
    guard let pipe = popen(command, "r") else { throw CommandError(command: command, status: -1, output: "") }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let got = fread(&buffer, 1, buffer.count, pipe)
        if got == 0 { break }
        output += buffer[..<got]
    }
    let status = pclose(pipe)
    let text = String(decoding: output, as: UTF8.self)
    guard status == 0 else { throw CommandError(command: command, status: status, output: text) }
    return text
}

/// What `nm` says: the functions of a file by address.
package func nm(_ path: String, options: String = "") throws -> [UInt64: Set<String>] {
    var result: [UInt64: Set<String>] = [:]
    for line in try run("nm --defined-only -P \(options) '\(path)'").split(separator: "\n") {
        let fields = line.split(separator: " ")
        // t and T are code, i is an IFUNC, w and W are weak, but V, D, … aren't code.
        guard fields.count >= 3, "tTiwW".contains(fields[1]), let address = UInt64(fields[2], radix: 16) else {
            continue
        }
        let name = fields[0].first == "@" ? fields[0] : fields[0].prefix { $0 != "@" }
        result[address, default: []].insert(String(name))
    }
    return result
}

/// What `readelf` says: the functions of a file by address, with their sizes.
package func functionSizes(_ path: String) throws -> [UInt64: (names: Set<String>, size: UInt64)] {
    var result: [UInt64: (names: Set<String>, size: UInt64)] = [:]
    for line in try run("readelf -sW '\(path)'").split(separator: "\n") {
        let fields = line.split(separator: " ")
        guard fields.count >= 8, fields[3] == "FUNC" || fields[3] == "IFUNC", fields[6] != "UND",
            let address = UInt64(fields[1], radix: 16), address != 0
        else { continue }
        let size = fields[2].hasPrefix("0x") ? UInt64(fields[2].dropFirst(2), radix: 16) : UInt64(fields[2])
        let name = String(fields[7].prefix { $0 != "@" })
        var function = result[address] ?? ([], 0)
        function.names.insert(name)
        function.size = max(function.size, try #require(size))
        result[address] = function
    }
    return result
}
