// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// A user stack as the programs captured it.
public struct CapturedStack: Hashable, Sendable {
    /// Return addresses, innermost first.
    public let frames: [UInt64]
    /// Where the walk ended; nil: by frame pointers, which don't say.
    public let end: StackEnd?

    package init(_ record: stack_record) {
        frames = fixedWords(record.frames, record.count)
        end = StackEnd(recorded: record.end)
    }
}
