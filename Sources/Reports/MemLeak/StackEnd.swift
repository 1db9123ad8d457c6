// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// Where the walk of a user stack ended (BPF/lib/unwind.h). Raw values are JSON's words.
public enum StackEnd: String, Hashable, Sendable, CaseIterable {
    case whole
    case cut
    case noMapping = "no_mapping"
    case noRule = "no_rule"
    case unsupported
    case unreadable
    case implausible

    /// From a record's flags; nil where the walk was by frame pointers, which have no end of their own.
    public init?(flags: UInt32) {
        for (flag, end) in Self.byFlag where flags & flag.rawValue != 0 {
            self = end
            return
        }
        return nil
    }

    private static let byFlag: [(stack_flag, StackEnd)] = [
        (STACK_CUT, .cut), (STACK_WHOLE, .whole), (STACK_NO_MAPPING, .noMapping),
        (STACK_NO_RULE, .noRule), (STACK_UNSUPPORTED, .unsupported),
        (STACK_UNREADABLE, .unreadable), (STACK_IMPLAUSIBLE, .implausible),
    ]

    /// What is missing, for text; nil where nothing is.
    public var words: String? {
        switch self {
        case .whole: nil
        case .cut: "deeper than 127 frames"
        case .noMapping: "cut: the next address lies in no mapping known"
        case .noRule: "cut: no unwind information for this code"
        case .unsupported: "cut: this code's unwind information can't be followed"
        case .unreadable: "cut: the stack could not be read"
        case .implausible: "cut: the next frame could not be one"
        }
    }
}
