// SPDX-License-Identifier: Apache-2.0

/// The command that a tool is to run and trace.
enum CommandWords {
    /// Its words and its arguments; empty where none is given.
    ///
    /// - Parameters:
    ///   - command: of `-c`: words parted by blanks.
    ///   - rest: what is behind `--`.
    static func of(_ command: String?, _ rest: [String]) -> [String] {
        (command.map { $0.split(separator: " ").map(String.init) } ?? []) + rest
    }
}
