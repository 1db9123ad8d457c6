// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing

/// What doctor says of this kernel.
enum Doctor {
    struct Report: Sendable {
        let finished: Finished
        let tools: [DoctorToolRow]
    }

    /// All tools', asked once: it takes seconds on an emulated CPU. Nil where there is no such command.
    static let all: Report? = try? ask([])

    private static func ask(_ tools: [String], rung: String? = nil) throws -> Report {
        let finished = try Tool.run(
            ["doctor", "--json"] + tools, environment: rung.map { ["SWIFTMEM_RUNG": $0] } ?? [:])
        return Report(finished: finished, tools: try finished.rows())
    }

    private static let answers = Mutex<[String: Report]>([:])

    /// With these rungs asked for, as in `memleak.bulk=fentry`; asked once.
    static func asking(_ tool: String, for rungs: String) throws -> Report {
        if let known = answers.withLock({ $0[rungs] }) { return known }
        let report = try ask([tool], rung: rungs)
        answers.withLock { $0[rungs] = report }
        return report
    }
}

/// Is a rung one that a name asks for: it has this id, or its id begins with it?
func isRung(_ id: String, _ name: String) -> Bool { id == name || id.hasPrefix(name + "_") }

/// Which rungs of a ladder this kernel has. A parameterised test takes them for its arguments; those that the
/// kernel lacks are named in the results, with doctor's reason.
enum Rungs {
    /// Those of `all` that a tool works with when they are asked for.
    static func here(_ tool: String, _ ladder: String, of all: [String], mode: String? = nil) throws -> [String] {
        var here: [String] = []
        for rung in all {
            guard let reason = try reasonAgainst(tool, ladder, rung, mode: mode) else {
                here.append(rung)
                continue
            }
            if named.withLock({ $0.insert("\(tool) \(ladder) \(rung)").inserted }) {
                ResultsFile.append(tool, "\(ladder)/\(rung)", "the kernel has this rung", .unsupported, reason)
                print("unsupported: \(tool)'s \(ladder) by \(rung): \(reason)")
            }
        }
        // what doctor takes by itself it must take when asked
        let chosen = Doctor.all?.tools.first { $0.tool == tool && $0.mode == mode }?.ladder(ladder)?.rung
        if let chosen, all.contains(where: { isRung(chosen, $0) }), !here.contains(where: { isRung(chosen, $0) }) {
            throw HarnessError(description: "\(tool)'s \(ladder) is by \(chosen), and not when that is asked for")
        }
        return here
    }

    /// Does this kernel lack every one of these rungs?
    static func lacks(_ tool: String, _ ladder: String, _ all: [String]) throws -> Bool {
        try here(tool, ladder, of: all).isEmpty
    }

    /// Why this kernel lacks a rung; nil when it has it.
    private static func reasonAgainst(
        _ tool: String, _ ladder: String, _ rung: String, mode: String?
    ) throws -> String? {
        let report = try Doctor.asking(tool, for: "\(tool).\(ladder)=\(rung)")
        guard let row = report.tools.first(where: { $0.tool == tool && $0.mode == mode }),
            let choice = row.ladder(ladder)
        else { throw HarnessError(description: "doctor says nothing of \(tool)'s \(ladder)") }
        if let taken = choice.rung, isRung(taken, rung), row.works { return nil }
        return choice.passedOver.first { isRung($0.rung, rung) }?.reason ?? row.failure
            ?? "\(choice.rung ?? "no rung") taken"
    }

    private static let named = Mutex<Set<String>>([])
}
