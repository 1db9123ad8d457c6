// SPDX-License-Identifier: Apache-2.0
internal import Reports

/// Compares two recordings by their last reports (`--diff`); the right to read the files is enough.
enum LeakDiffRun {
    static func run(_ paths: [String], _ arguments: MemLeakArguments, _ report: ReportOptions) throws {
        guard paths.count == 2 else { throw Failure.usage("--diff compares two recordings: --diff BEFORE AFTER") }
        try arguments.requireNothingToTrace("--diff")
        guard try LeakFiles(arguments.files).isEmpty else {
            throw Failure.usage("--diff writes no files for other tools: --replay does")
        }
        let options = try LeakViewOptions(arguments)
        let profiles = try paths.map { path in try last(path, options, strict: report.strict) }
        if let output = arguments.output { _ = try OutputFile(output, option: "--output").becomeStandardOutput() }
        let diff = LeakDiff(before: profiles[0], after: profiles[1])
        var output = Output()
        if report.json {
            for line in diff.json(top: options.top) { output.print(line) }
        } else {
            for line in diff.lines(top: options.top) { output.print(line) }
        }
        _ = try output.flush()
    }

    /// All of a recording's last report.
    private static func last(_ path: String, _ options: LeakViewOptions, strict: Bool) throws(Failure) -> LeakProfile {
        var records = try LeakRecords(path)
        var player = LeakPlayer(options, wantsAll: true)
        while let record = try records.next() {
            if case .end(let isFull)? = player.play(record) { records.ended(isFull: isFull) }
        }
        try records.finish(strict: strict)
        guard let profile = player.view?.profile else {
            throw .badValue("\(Printable.text(path)) has no report: its run ended before the first")
        }
        return profile
    }
}
