// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The command under test.
enum Tool {
    /// Where the test bundle is, which on Linux is a program.
    static let directory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    static let binary =
        ProcessInfo.processInfo.environment["SWIFTMEM_BINARY"]
        .map { URL(fileURLWithPath: $0) } ?? directory.appendingPathComponent("swiftmem")

    static func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Running {
        try Running(binary, arguments, environment: environment)
    }

    /// Starts a tool with --json and waits until it traces. Its rungs are the test's.
    static func tracing(
        _ arguments: [String], rung: String? = nil, environment: [String: String] = [:]
    ) throws -> (tool: Running, start: StartRow) {
        var environment = environment
        if let rung { environment["SWIFTMEM_RUNG"] = rung }
        let tool = try start(arguments + ["--json"], environment: environment)
        let start = try tool.row(StartRow.self)
        TestRecord.current?.started(start)
        return (tool, start)
    }

    @discardableResult
    static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Finished {
        let finished = try start(arguments, environment: environment).finish()
        for row in try finished.rows(StartRow.self) { TestRecord.current?.started(row) }
        return finished
    }

    /// Runs a shell command line with `$SWIFTMEM` naming the binary.
    static func shell(_ command: String) throws -> Finished {
        try Running(
            URL(fileURLWithPath: "/bin/bash"), ["-c", command],
            environment: ["SWIFTMEM": binary.path]
        ).finish()
    }
}
