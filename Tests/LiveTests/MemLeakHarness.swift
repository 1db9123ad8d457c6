// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// What the suites of memleak share.
enum MemLeakTool {
    static let rungs = ["session", "multi", "perf"]

    static func isThere(_ rung: String) throws -> Bool {
        try availableRungs("memleak", "allocators", of: rungs).contains(rung)
    }

    /// The rung that users get.
    static func bestRung() throws -> String {
        try #require(rungs.first { try isThere($0) })
    }

    /// Every rung; in the matrix the best one, for a guest is slow and what is asked does not depend on it.
    static func someRungs() throws -> [String] {
        Live.inMatrix ? [try bestRung()] : try rungs.filter { try isThere($0) }
    }

    static func environment(_ rung: String) -> [String: String] {
        ["SWIFTMEM_RUNG": "memleak.allocators=\(rung)"]
    }

    /// Runs a command under memleak, to its end.
    static func trace(
        _ rung: String? = nil, _ command: [String], options: [String] = [], environment: [String: String] = [:]
    ) throws -> MemLeakResult {
        let rung = try rung ?? bestRung()
        let finished = try Tool.run(
            // one report, the last: a followed child's blocks are in one only
            ["memleak", "--json", "-T", "1000"] + options + ["1000", "--"] + command,
            environment: Self.environment(rung).merging(environment) { $1 })
        return try MemLeakResult(finished)
    }

    /// Starts tracing a process, with reports when they are asked for.
    static func follow(_ pid: Int32, _ options: [String] = []) throws -> Running {
        try Tool.tracing(["memleak", "-p", "\(pid)", "-o", "0", "-T", "1000"] + options + ["1000"]).0
    }
}

/// The last report of a run: its stacks and its summary.
struct MemLeakResult {
    let status: Int32
    let errors: String
    let hooked: [[String: Any]]
    let stacks: [[String: Any]]
    let summary: [String: Any]
    let truth: [String: Any]?

    init(_ finished: Finished) throws {
        guard let last = finished.objects(ofType: "memleak_summary").last else {
            throw HarnessError(description: "no report: \(finished.errors) \(finished.output.suffix(400))")
        }
        if let start = finished.objects(ofType: "start").first { Live.noteRungs(start) }
        status = finished.status
        errors = finished.errors
        hooked = finished.objects(ofType: "memleak_hooked")
        summary = last
        stacks = finished.objects(ofType: "memleak").filter { $0.text("time") == last.text("time") }
        truth = finished.objects(ofType: "truth").first
    }

    /// Bytes and allocations of the stacks that a function is on.
    func sum(_ function: String, pid: Int? = nil) -> [Int] { sum(pid: pid) { $0 == function } }

    /// … that a function is on whose name fits.
    func sum(pid: Int? = nil, where fits: (String) -> Bool) -> [Int] {
        let own = stacks.filter { stack in
            (pid == nil || stack.int("pid") == pid)
                && stack.rows("frames").contains { $0.text("symbol").map(fits) ?? false }
        }
        return [own.reduce(0) { $0 + ($1.int("bytes") ?? 0) }, own.reduce(0) { $0 + ($1.int("count") ?? 0) }]
    }

    /// All but `skipped`: 7.x runs raw tracepoints' programs with preemption on, and skips the end of a thread that comes
    /// in the middle of another's on the same CPU (5 of 64 seen). No allocation is missed by it: the sums are compared.
    /// And but what ends a stack early: musl and `swiftc -O` give no unwind information, a new program's is read
    /// after its first calls. Sums by function stay right; whole stacks are the suite Unwinding's matter.
    var losses: Int {
        lost.filter { $0.key != "skipped" && !$0.key.hasPrefix("stack_") }.values.reduce(0, +)
    }

    /// The causes that are not zero.
    var lost: [String: Int] {
        summary.object("losses").compactMapValues { ($0 as? NSNumber)?.intValue }.filter { $0.value > 0 }
    }

    /// What a clean run must show: nothing lost, nothing freed that was not recorded.
    func expectWhole(_ comment: Comment? = nil) {
        #expect(losses == 0, "\(comment?.rawValue ?? "") \(lost)")
        #expect(summary.int("unmatched_frees") == 0, comment)
        #expect(summary.int("abandoned_calls") == 0, comment)
    }
}
