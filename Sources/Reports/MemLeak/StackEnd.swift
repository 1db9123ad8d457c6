// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// Where the walk of a user stack ended. Raw values are JSON's words.
///
/// The list is TraceRecords/stack_end.h: `recorded` has its values, and a test that none of them is missing here.
public enum StackEnd: String, Hashable, Sendable, CaseIterable {
    case whole
    case cut
    case noMapping = "no_mapping"
    case noRule = "no_rule"
    case unsupported
    case unreadable
    case implausible

    /// From a record's `end`; nil where the walk was by frame pointers, which have no end of their own.
    public init?(recorded value: UInt32) {
        guard let end = Self.allCases.first(where: { $0.recorded.rawValue == value }) else { return nil }
        self = end
    }

    /// As the programs write it.
    var recorded: stack_end {
        switch self {
        case .whole: STACK_WHOLE
        case .cut: STACK_CUT
        case .noMapping: STACK_NO_MAPPING
        case .noRule: STACK_NO_RULE
        case .unsupported: STACK_UNSUPPORTED
        case .unreadable: STACK_UNREADABLE
        case .implausible: STACK_IMPLAUSIBLE
        }
    }

    /// What is missing from a stack, for text; nil where nothing is.
    public var words: String? {
        switch self {
        case .whole: nil
        case .cut: "deeper than \(STACK_FRAMES) frames"
        case .noMapping: "cut: the next address lies in no mapping known"
        case .noRule: "cut: no unwind information for this code"
        case .unsupported: "cut: this code's unwind information can't be followed"
        case .unreadable: "cut: the stack could not be read"
        case .implausible: "cut: the next frame could not be one"
        }
    }

    /// Stacks that end so, as a cause of losses; nil for whole ones.
    var loss: Losses.Cause? {
        let words: String
        switch self {
        case .whole: return nil
        case .cut: words = "stacks cut: deeper than \(STACK_FRAMES) frames"
        case .noMapping: words = "stacks cut at an address whose mapping was not known yet"
        case .noRule: words = "stacks cut at code without unwind information"
        case .unsupported: words = "stacks cut at code whose unwind information can't be followed"
        case .unreadable: words = "stacks cut where their memory could not be read"
        case .implausible: words = "stacks cut where the next frame could not be one"
        }
        return Losses.Cause(key: "stack_\(rawValue)", words: words)
    }

    /// The causes of losses from LOSS_STACK_ENDS on.
    static let losses: [Losses.Cause] = allCases.sorted { $0.recorded.rawValue < $1.recorded.rawValue }
        .compactMap(\.loss)
}
