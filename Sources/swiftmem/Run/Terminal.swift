// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Reports

/// The screen of a terminal, taken over while this lives and given back as it was.
///
/// It needs a handful of sequences that every terminal of today understands (ECMA-48,
/// xterm's alternate screen). A curses library would bring the data base of terminals
/// with it, which small systems and containers do not have; where TERM says that a
/// terminal can do nothing, tools print tables instead.
struct Terminal: ~Copyable {
    private let before: termios

    /// Is there a terminal to take over?
    static var isUsable: Bool {
        isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && Environment.terminalMovesCursor
    }

    /// Keys come one by one and unseen; Ctrl-C stays a signal, Ctrl-Z does nothing.
    init() throws(Failure) {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { throw .system("tcgetattr") }
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        // SAFETY: c_cc has NCCS elements; the indices are the system's own.
        withUnsafeMutableBytes(of: &raw.c_cc) { characters in
            characters[Int(VMIN)] = 0
            characters[Int(VTIME)] = 0
            characters[Int(VSUSP)] = 0
        }
        guard tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0 else { throw .system("tcsetattr") }
        self.before = before
        Self.write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J")
    }

    deinit {
        var before = before
        Self.write("\u{1b}[?25h\u{1b}[?1049l")
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
    }

    /// Columns and rows; 80 × 24 where the terminal does not say.
    var size: (width: Int, height: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// What was typed since the last time; nil at its end (the terminal is gone).
    func keys() -> [TerminalKey]? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0 { return errno == EAGAIN || errno == EINTR ? [] : nil }
        return TerminalKey.keys(Array(buffer.prefix(count)))
    }

    /// Puts lines on the screen, in place of what was there, at once.
    ///
    /// - Returns: false when the terminal is gone.
    func show(_ lines: [CacheTopScreen.Line]) -> Bool {
        var text = "\u{1b}[H"
        for (row, line) in lines.enumerated() {
            text += "\u{1b}[\(row + 1);1H"
            text += line.isHeading ? "\u{1b}[7m\(line.text)\u{1b}[0m" : line.text
            text += "\u{1b}[K"
        }
        text += "\u{1b}[J"
        return Self.write(text)
    }

    @discardableResult
    private static func write(_ text: String) -> Bool {
        PatientWriter().write(Array(text.utf8)) == .written
    }
}
