// SPDX-License-Identifier: Apache-2.0
import Testing

/// Writes a result line for each run of a test from what really happened in it: the tools it started, their
/// rungs, and whether any issue was recorded.
struct RecordingTrait: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func prepare(for test: Test) async throws {
        guard Live.isBrief, !test.isSuite, !test.tags.contains(.brief) else { return }
        try await ConditionTrait.disabled("not one of the brief tests").prepare(for: test)
    }

    func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { testCase == nil ? nil : self }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let record = TestRecord()
        let issues = IssueHandlingTrait.compactMapIssues { issue in
            record.failed(issue.comments.first?.rawValue ?? "\(issue)")
            return issue
        }
        let name = (test.displayName ?? test.name) + (testCase.map(Self.arguments) ?? "")
        do {
            try await TestRecord.$current.withValue(record) {
                try await issues.provideScope(for: test, testCase: testCase, performing: function)
            }
            record.write(test: name)
        } catch let answer as Unsupported {
            record.write(test: name, unsupported: answer.reason)
            try Self.skip(name, answer.reason)
        } catch {
            record.failed("\(error)")
            record.write(test: name)
            throw error
        }
    }

    /// Says that a test was skipped, and why.
    private static func skip(_ name: String, _ reason: String) throws {
        print("skipped: \(name): \(reason)")
        #if compiler(>=6.3)
            try Test.cancel("\(reason)")
        #endif
    }

    /// What a run was given, as in ": kprobe, --pattern splice". The testing library keeps it to itself, but for
    /// reflection.
    private static func arguments(_ testCase: Test.Case) -> String {
        let kind = Mirror(reflecting: testCase).descendant("_kind", "parameterized", "arguments")
        let values = kind.map { Mirror(reflecting: $0).children.map(\.value) } ?? []
        let words = values.compactMap { Mirror(reflecting: $0).descendant("value") }.map {
            $0 as? String ?? String(describingForTest: $0)
        }
        return words.isEmpty ? "" : ": " + words.joined(separator: ", ")
    }
}

/// Says which tool a suite's tests are about. Where doctor says that the tool doesn't work on this kernel they are
/// skipped, and the results say why: such a kernel is one the tool does not support, not one untested.
struct ExercisingTrait: SuiteTrait, TestTrait, TestScoping {
    let tool: String
    let mode: String?

    var isRecursive: Bool { true }

    func prepare(for test: Test) async throws {
        guard let row = Doctor.all?.tools.first(where: { $0.tool == tool && $0.mode == mode }), !row.works else {
            return
        }
        let reason = row.failure ?? "doctor says that it does not work"
        if !test.isSuite { ResultsFile.append(tool, "-", test.displayName ?? test.name, .unsupported, reason) }
        try await ConditionTrait.disabled("\(tool): \(reason)").prepare(for: test)
    }

    func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { testCase == nil ? nil : self }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        TestRecord.current?.isAbout(tool)
        try await function()
    }
}

extension Trait where Self == RecordingTrait {
    /// Each run of a test leaves a line in the results.
    static var recorded: Self { Self() }
}

extension Trait where Self == ExercisingTrait {
    /// The suite's tests are about this tool, in a mode that doctor names.
    static func exercises(_ tool: String, mode: String? = nil) -> Self { Self(tool: tool, mode: mode) }
}
