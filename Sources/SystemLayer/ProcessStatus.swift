// SPDX-License-Identifier: Apache-2.0

/// What /proc/PID/status tells (proc_pid_status(5)): `Name: value`, one a line.
public struct ProcessStatus: Sendable {
    private let text: String

    /// From the file's text.
    public init(_ text: String) { self.text = text }

    /// The words of a line, e.g. `VmSize` → `["1234", "kB"]`; nil where there is no such line.
    public func words(_ name: String) -> [Substring]? {
        // The kernel escapes the newlines of a process's name, so that each line is the kernel's own.
        text.split(separator: "\n").first { $0.hasPrefix(name + ":") }?
            .dropFirst(name.count + 1).split(whereSeparator: \.isWhitespace)
    }
}
