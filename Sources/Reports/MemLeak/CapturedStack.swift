// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// A user stack as the programs captured it.
public struct CapturedStack: Hashable, Sendable {
    /// Return addresses, innermost first.
    public let frames: [UInt64]
    /// Where the walk ended; nil: by frame pointers, which don't say.
    public let end: StackEnd?

    /// It was not captured: the allocation was made before the trace, and all that is known is who called.
    public var isBeforeTrace = false

    /// A block's that was allocated before the trace.
    public init(callerBeforeTrace caller: UInt64) {
        frames = [caller]
        end = nil
        isBeforeTrace = true
    }

    package init(_ record: stack_record) {
        frames = fixedWords(record.frames, record.count)
        end = StackEnd(recorded: record.end)
    }
}
