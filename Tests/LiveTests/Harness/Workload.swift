// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A program of Tests/Workloads.
enum Workload {
    static func path(_ name: String) -> String { Tool.directory.appendingPathComponent("workload-\(name)").path }

    static func start(_ name: String, _ arguments: [String]) throws -> Running {
        try Running(path(name), arguments)
    }

    /// Runs one to its end; its truth.
    static func truth<R: Row>(_ name: String, _ arguments: [String], as type: R.Type = R.self) throws -> R {
        let finished = try start(name, arguments).finish()
        guard finished.status == 0, let truth = try finished.rows(R.self).first else {
            throw HarnessError(description: "\(name) failed: \(finished.errors) \(finished.output)")
        }
        return truth
    }
}
