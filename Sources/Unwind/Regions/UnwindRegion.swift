// SPDX-License-Identifier: Apache-2.0

/// Executable memory of a process and how its frames are unwound.
struct UnwindRegion: Hashable, Sendable {
    enum Rules: Hashable, Sendable {
        /// By a table; `offset` is where in its text the region begins.
        case table(UnwindTables.ID, offset: UInt32)
        /// By frame pointers: a JIT's code, or a file without call-frame information.
        case framePointers
        /// Not at all: the kernel's own trampoline.
        case none
    }

    let start: UInt64
    let end: UInt64
    let rules: Rules
}
