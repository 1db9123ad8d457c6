// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

/// What one run of a test did: the tools it started, on which rungs, and what went wrong.
final class TestRecord: Sendable {
    /// The record of the test that runs in this task.
    @TaskLocal static var current: TestRecord?

    private struct State {
        var subject: String?
        var rungs: [String: Set<String>] = [:]
        var issues: [String] = []
        var notes: [String] = []
    }

    private let state = Mutex(State())

    /// The tool that the test is about, whether it starts one or not.
    func isAbout(_ tool: String) { state.withLock { $0.subject = tool } }

    /// A tool traces, on these rungs.
    func started(_ start: StartRow) {
        state.withLock { _ = $0.rungs[start.tool, default: []].insert(start.rungNames) }
    }

    func failed(_ what: String) { state.withLock { $0.issues.append(what) } }

    /// Figures for the result's detail, such as what was counted beside what is true.
    static func note(_ text: String) { current?.state.withLock { $0.notes.append(text) } }

    /// Appends the outcome to the results: a line for each tool and each set of rungs.
    func write(test name: String, unsupported reason: String? = nil) {
        let state = state.withLock { $0 }
        let status: ResultsFile.Status = reason != nil ? .unsupported : state.issues.isEmpty ? .pass : .fail
        let detail = reason ?? (state.issues.first.map { [$0] + state.notes } ?? state.notes).joined(separator: "; ")
        var rungs = state.rungs
        let subject = state.subject ?? (rungs.isEmpty ? "swiftmem" : nil)
        if let subject, rungs[subject] == nil { rungs[subject] = ["-"] }
        for (tool, sets) in rungs.sorted(by: { $0.key < $1.key }) {
            for names in sets.sorted() { ResultsFile.append(tool, names, name, status, detail) }
        }
    }
}
