// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// What the suites of memleak share.
enum MemLeakTool {
    /// The ways of seeing an allocator's calls that this kernel has, best first.
    static func rungs() throws -> [String] {
        try Rungs.here("memleak", "allocators", of: ["session", "multi", "perf"])
    }

    /// The rung that users get.
    static func bestRung() throws -> String { try #require(try rungs().first) }

    /// Every rung; in the matrix the best one, for a guest is slow and what is asked does not depend on it.
    static func someRungs() throws -> [String] { Live.inMatrix ? [try bestRung()] : try rungs() }

    /// Runs a command under memleak, to its end.
    static func trace(
        _ rung: String? = nil, _ command: [String], options: [String] = [], environment: [String: String] = [:]
    ) throws -> MemLeakResult {
        let rungs = try rung ?? bestRung()
        let finished = try Tool.run(
            // one report, the last: a followed child's blocks are in one only
            ["memleak", "--json", "-T", "1000"] + options + ["1000", "--"] + command,
            environment: ["SWIFTMEM_RUNG": "memleak.allocators=\(rungs)"].merging(environment) { $1 })
        return try MemLeakResult(finished)
    }

    /// Starts tracing a process, with reports when they are asked for.
    static func follow(_ pid: Int32, _ options: [String] = [], rung: String? = nil) throws -> Running {
        try Tool.tracing(
            ["memleak", "-p", "\(pid)", "-o", "0", "-T", "1000"] + options + ["1000"],
            rung: rung.map { "memleak.allocators=\($0)" }
        ).tool
    }
}

/// The last report of a run: its stacks and its summary.
struct MemLeakResult {
    let status: Int32
    let errors: String
    let hooked: [MemLeakHookedRow]
    let stacks: [MemLeakRow]
    let summary: MemLeakSummaryRow
    /// What workload-leaker says it holds.
    let truth: LeakerTruth?

    init(_ finished: Finished) throws {
        guard let last = try finished.rows(MemLeakSummaryRow.self).last else {
            throw HarnessError(description: "no report: \(finished.errors) \(finished.output.suffix(400))")
        }
        status = finished.status
        errors = finished.errors
        hooked = try finished.rows()
        summary = last
        stacks = try finished.rows(MemLeakRow.self).filter { $0.time == last.time }
        // with --json a command's standard output is the tool's standard error
        truth = try (finished.lines + finished.errorLines).lazy.compactMap { try LeakerTruth(line: $0) }.first
    }

    /// Bytes and allocations of the stacks that a function is on.
    func sum(_ function: String, pid: Int? = nil) -> [Int] { sum(pid: pid) { $0 == function } }

    /// … that a function is on whose name fits.
    func sum(pid: Int? = nil, where fits: (String) -> Bool) -> [Int] {
        let own = stacks.filter { (pid == nil || $0.pid == pid) && $0.isOn(fits) }
        return [own.reduce(0) { $0 + $1.bytes }, own.reduce(0) { $0 + $1.count }]
    }

    /// Expects a function's bytes and allocations to be these, and leaves both for the result.
    func expect(
        _ function: String, pid: Int? = nil, _ want: [Int], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let sum = sum(function, pid: pid)
        TestRecord.note("\(function) \(sum) of \(want)")
        #expect(sum == want, "\(function): \(sum) of \(want)", sourceLocation: sourceLocation)
    }

    /// All but `skipped`: 7.x runs raw tracepoints' programs with preemption on, and skips the end of a thread that comes
    /// in the middle of another's on the same CPU (5 of 64 seen). No allocation is missed by it: the sums are compared.
    /// And but what ends a stack early: musl and `swiftc -O` give no unwind information, a new program's is read
    /// after its first calls. Sums by function stay right; whole stacks are the suite Unwinding's matter.
    var losses: Int { lost.filter { $0.key != "skipped" && !$0.key.hasPrefix("stack_") }.total }

    /// The causes that are not zero.
    var lost: Losses { summary.losses.causes }

    /// What a clean run must show: nothing lost, nothing freed that was not recorded.
    func expectWhole(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(losses == 0, "\(lost)", sourceLocation: sourceLocation)
        #expect(summary.unmatchedFrees == 0, sourceLocation: sourceLocation)
        #expect(summary.abandonedCalls == 0, sourceLocation: sourceLocation)
    }
}

/// Tests/Fixtures/steps.c, which takes the steps it is told.
struct Steps {
    let running: Running

    var pid: Int32 { running.pid }

    /// Starts it, from another place if need be.
    init(at path: String? = nil) throws {
        running = try Running(try path ?? Fixture.steps.path())
        try running.row(ReadyRow.self)
    }

    /// One that was started in another way.
    init(_ running: Running) { self.running = running }

    func step(_ step: String) throws {
        running.send(step + "\n")
        try running.row(DoneRow.self)
    }

    func end() { running.closeInput() }
}
