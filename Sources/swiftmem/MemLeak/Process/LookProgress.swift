// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Reports

/// How far a look at the processes of a cgroup has come, for who waits at a terminal, and what tracing them all slows.
struct LookProgress {
    private let count: Int
    private let onTerminal: Bool
    private var looked = 0
    private var shown: UInt64 = 0

    /// - Parameter count: processes to look at.
    init(_ count: Int, cgroup: CgroupTarget) {
        self.count = count
        onTerminal = isatty(STDERR_FILENO) == 1 && Environment.terminalMovesCursor
        if cgroup.level == 0 {
            note(
                "memleak: --cgroup \(cgroup.path.path) is the whole machine: in each of its \(count) processes\n"
                    + "a pair of malloc and free takes about a microsecond longer")
        }
    }

    /// Another one is looked at. Ten times a second at most it is shown.
    mutating func next() {
        looked += 1
        let now = monotonicNow()
        guard onTerminal, now - shown > 100_000_000 else { return }
        shown = now
        write("\rlooking for allocators: process \(looked) of \(count)\u{1b}[K")
    }

    /// The line is free again.
    func end() {
        if shown > 0 { write("\r\u{1b}[K") }
    }

    private func write(_ text: String) { writeAll(STDERR_FILENO, Array(text.utf8)) }
}
