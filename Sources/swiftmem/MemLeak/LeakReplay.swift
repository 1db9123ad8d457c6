// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import LibBPF
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// Shows a recording (`--replay`); the right to read the file is enough.
enum LeakReplay {
    static func run(_ path: String, _ arguments: MemLeakArguments, _ report: ReportOptions) throws {
        try arguments.requireNothingToTrace("--replay")
        var files = try LeakFiles(arguments.files)
        var player = LeakPlayer(try LeakViewOptions(arguments), wantsAll: !files.isEmpty || arguments.github)
        var records = try LeakRecords(path)
        if let output = arguments.output { _ = try OutputFile(output, option: "--output").becomeStandardOutput() }
        var output = Output()
        var losses = Losses()
        var fullMap = FullMapNotice()
        while let record = try records.next() {
            guard let scene = player.play(record) else { continue }
            switch scene {
            case .began(let begin): output.print(begin, json: report.json)
            case .hooked(let file): output.print(file, json: report.json)
            case .note(let text): output.note(Printable.text(text))
            case .sampling(let sampling):
                if report.json { output.print(sampling.json) } else { output.note(sampling.text) }
            case .report(let shown):
                guard let view = player.view else { continue }
                output.print(shown, view, json: report.json)
                if let words = fullMap.words(shown.losses) { output.note(words) }
                if !report.json { for line in shown.losses.since(losses).lines { output.note("lost: " + line) } }
                losses = shown.losses
            case .end(let isFull): records.ended(isFull: isFull)
            }
            // the reader of the output has gone
            guard try output.flush() else { return }
        }
        if let view = player.view { output.printPeak(view, json: report.json) }
        for line in arguments.annotations?.lines(player.view?.leaks ?? []) ?? [] { output.note(line) }
        guard try output.flush() else { return }
        if let profile = player.view?.profile { files.take(profile) }
        try files.write()
        try records.finish(strict: report.strict)
        try arguments.checkLeak(player.view?.largestLeak)
    }
}

/// The records of a file; its errors in a user's words.
struct LeakRecords {
    private var recording: LeakRecording
    private let path: String
    /// nil: no record says so.
    private var isFull: Bool?
    private var damage: Failure?

    /// - Throws: `Failure` where it can't be read, or is no recording.
    init(_ path: String) throws(Failure) {
        self.path = Printable.text(path)
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try OpenFile(regular: FilePath(path)).readAll(limit: Int(FileSize.most))
        } catch {
            throw Failure(cantRead: error, remedy: "record first: swiftmem memleak --record FILE")
        }
        do throws(LeakRecordingError) {
            recording = try LeakRecording(bytes)
        } catch {
            throw Self.failure(error, self.path)
        }
    }

    /// The next one; nil at the end, and where what follows can't be read.
    ///
    /// - Throws: `Failure` where the first can't.
    mutating func next() throws(Failure) -> LeakRecord? {
        guard damage == nil else { return nil }
        do throws(LeakRecordingError) {
            return try recording.next()
        } catch {
            damage = Self.failure(error, path)
            return nil
        }
    }

    mutating func ended(isFull: Bool) { self.isFull = isFull }

    /// Says what is missing at the end.
    ///
    /// - Throws: `Failure` where it is damaged, or, with `--strict`, where anything is missing.
    func finish(strict: Bool) throws(Failure) {
        let words: String? =
            switch isFull {
            case .some(true): "\(path) was full: the run went on (--record-size)"
            case .some(false): nil
            case nil: "\(path) has no end: its run was killed, or goes on"
            }
        if let damage, damage.status != Failure.Status.incomplete || strict { throw damage }
        if let damage { return note(damage.message) }
        guard let words else { return }
        if strict { throw Failure(status: Failure.Status.incomplete, message: words) }
        note(words)
    }

    private static func failure(_ error: LeakRecordingError, _ path: String) -> Failure {
        switch error {
        case .notARecording:
            Failure(status: Failure.Status.usage, message: "\(path) was not written by swiftmem memleak --record")
        case .version(let version):
            Failure(
                status: Failure.Status.unavailable,
                message: "\(path) has version \(version) of the format: this swiftmem reads version 1")
        case .cut(let offset):
            Failure(
                status: Failure.Status.incomplete,
                message: "\(path) ends in the midst of the record at byte \(offset): its run was killed, or it was cut")
        case .damaged(let offset):
            Failure(
                status: Failure.Status.usage,
                message: "\(path) is damaged at byte \(offset): what follows is not shown")
        }
    }
}

extension MemLeakArguments {
    /// - Parameter option: `--replay` or `--diff`.
    /// - Throws: `Failure` where an option is given that only a run that traces can have.
    func requireNothingToTrace(_ option: String) throws(Failure) {
        guard let fresh = try? MemLeakArguments.parse([]) else { return }
        if peak, !diff.isEmpty { throw .usage("--diff compares the last reports, not the peaks (--peak)") }
        if github, !diff.isEmpty { throw .usage("--diff finds no leaks to annotate (--github)") }
        if replay != nil, !diff.isEmpty { throw .usage("--replay or --diff, not both") }
        let fixed: [(isGiven: Bool, option: String)] = [
            (!target.pid.isEmpty, "-p"), (target.command != nil, "-c"), (!rest.isEmpty, "a command"),
            (target.cgroup != nil, "--cgroup"),
            (trace, "-t"), (target.exitStatus, "--exit-status"), (combinedOnly, "--combined-only"),
            (older != fresh.older, "-o"), (sampleRate != fresh.sampleRate, "-s"),
            (sampleBytes != nil, "--sample-bytes"), (sampled, "--sampled"), (minSize != nil, "-z"),
            (maxSize != nil, "-Z"), (obj != nil, "-O"), (percpu, "--percpu"), (cache != nil, "--cache"),
            (maxOverhead != nil, "--max-overhead"), (leakAfter != fresh.leakAfter, "--leak-after"),
            (symbolsPrefix != nil, "--symbols-prefix"), (target.follow, "--follow"),
            (maxAllocations != nil, "--max-allocations"), (stacks.lines, "--lines"), (record != nil, "--record"),
            (baseline != nil, "--baseline"),
            (interval != fresh.interval || count != nil, "an interval"),
        ]
        for one in fixed where one.isGiven {
            throw .usage("\(option) shows what was recorded: \(one.option) can't be chosen any more")
        }
    }
}
