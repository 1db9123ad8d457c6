// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Reports

/// One line on standard error that is written over and over, and gone before anything else is printed.
///
/// Only where a person watches: standard error is a terminal, and the reports do not go through a pipe to another
/// program that may be writing to the same terminal.
struct ProgressLine {
    /// Seconds between two.
    static let interval = 1.0

    let isOn: Bool
    private var isShown = false

    init() {
        var status = stat()
        let piped = fstat(STDOUT_FILENO, &status) != 0 || [S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT)
        isOn = isatty(STDERR_FILENO) == 1 && !piped && Environment.terminalMovesCursor
    }

    /// Shows it in place of the last.
    mutating func show(_ progress: MemLeakProgress) {
        guard isOn else { return }
        var size = winsize()
        let columns = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
        writeAll(STDERR_FILENO, Array(("\r" + progress.text(columns: columns) + "\u{1b}[K").utf8))
        isShown = true
    }

    /// Takes it off the terminal.
    mutating func clear() {
        guard isShown else { return }
        writeAll(STDERR_FILENO, Array("\r\u{1b}[K".utf8))
        isShown = false
    }
}
