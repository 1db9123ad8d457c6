// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceRecords

@testable import Reports

/// The reasons a stack ends: TraceRecords/stack_end.h is the list, all else follows it.
@Suite struct StackEndTests {
    /// All values but the one of frame pointers, which is no end.
    static let recorded = 1..<STACK_ENDS.rawValue

    static func document(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    @Test("each value that the programs write is an end of its own")
    func values() throws {
        let ends = try Self.recorded.map { try #require(StackEnd(recorded: $0), "\($0)") }
        #expect(ends.map(\.recorded.rawValue) == Array(Self.recorded))
        #expect(Set(ends) == Set(StackEnd.allCases))
        #expect(ends.map(\.rawValue).first == "whole" && ends.dropFirst().first == .cut)
        for value in [STACK_NO_END.rawValue, STACK_ENDS.rawValue, .max] { #expect(StackEnd(recorded: value) == nil) }
    }

    @Test("each has words, and a cause of losses where frames are missing")
    func words() {
        for end in StackEnd.allCases {
            #expect((end.words == nil) == (end == .whole))
            #expect((end.loss == nil) == (end == .whole))
        }
        #expect(Set(StackEnd.allCases.compactMap(\.words)).count == StackEnd.allCases.count - 1)
        #expect(StackEnd.cut.words == "deeper than 127 frames")
    }

    /// BPF/unwind/walk.h counts an end in the slot LOSS_STACK_ENDS + end - STACK_CUT.
    @Test("the counter of each is in the slot that the programs count it in")
    func losses() throws {
        #expect(Losses.causes.count == Losses.kernelCauses)
        for value in STACK_CUT.rawValue..<STACK_ENDS.rawValue {
            let slot = Int(LOSS_STACK_ENDS.rawValue + value - STACK_CUT.rawValue)
            let end = try #require(StackEnd(recorded: value))
            #expect(Losses.causes[slot] == end.loss && Losses.causes[slot].key == "stack_\(end.rawValue)")
        }
    }

    @Test("each has its line in Docs/unwinding.md and its word in Docs/tools/memleak.md")
    func documents() throws {
        let (unwinding, memleak) = (
            try Self.document("Docs/unwinding.md"), try Self.document("Docs/tools/memleak.md")
        )
        for end in StackEnd.allCases {
            let loss = end.loss.map { "`\($0.key)`" } ?? ""
            #expect(unwinding.contains("| `\(end.rawValue)` | \(loss)"), "\(end)")
            #expect(memleak.contains("`\(end.rawValue)`"), "\(end)")
        }
    }
}
