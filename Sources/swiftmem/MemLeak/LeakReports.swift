// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports
internal import SystemLayer

/// Takes a run's looks and reports to the view (verdicts, order, merging), the recording and the output.
struct LeakReports {
    private(set) var view: LeakView
    private(set) var files: LeakFiles
    private var schedule: LookSchedule
    private let recorder: LeakRecorder?
    private let annotations: LeakAnnotations?

    init(_ run: LeakRun, _ settings: MemLeakSettings, _ files: LeakFiles, _ recorder: LeakRecorder?) {
        annotations = settings.annotations
        view = LeakView(run, settings.view, wantsAll: !files.isEmpty || annotations != nil)
        self.files = files
        self.recorder = recorder
        schedule = LookSchedule(patience: run.patience)
        recorder?.add(.run(run))
    }

    /// Seconds to the next look between reports.
    var lookDelay: Double { schedule.delay(at: monotonicNow()) }

    func isLookDue(_ now: UInt64) -> Bool { schedule.isDue(now) }

    /// The bins of age for a look at this time; nil: ages are not known.
    func grid(at now: UInt64) -> AgeGrid? { view.watch.grid(at: now) }

    /// Tracing has begun.
    func began(_ begin: LeakBegin) { recorder?.add(.began(begin)) }

    func hooked(_ file: LeakHooked) { recorder?.add(.hooked(file)) }

    func resampled(_ sampling: LeakSampling) { recorder?.add(.sampling(sampling)) }

    /// A line was printed on standard error.
    func noted(_ text: String) { recorder?.add(.note(text)) }

    /// Allocations from before the last look, taken then, are left out from now on.
    mutating func setBaseline(at time: UInt64, _ sum: OutstandingSum) {
        view.setBaseline(at: time)
        recorder?.add(.baseline(time))
        let words = LeakBaseline.words(sum)
        noted(words)
        note(words)
    }

    /// A process's memory is gone.
    mutating func forget(_ pid: UInt32) {
        view.forget(pid)
        recorder?.forget(pid)
    }

    /// Takes a look in.
    ///
    /// - Parameter site: gives the frames of a captured stack.
    /// - Throws: what `site` throws.
    mutating func take(
        _ look: LeakLook, site: (AllocationSite) throws(BPFError) -> LeakSite
    ) throws(BPFError) {
        if let recorder {
            try view.take(look) { (captured) throws(BPFError) in try recorder.site(captured, site) }
            recorder.add(.look(look))
        } else {
            try view.take(look, site: site)
        }
        schedule.taken(since: look.time)
    }

    /// Makes and prints a report of the last look.
    ///
    /// - Parameters:
    ///   - moment: the report without its stacks.
    ///   - names: the processes' names.
    ///   - site: gives the frames of a captured stack.
    /// - Throws: what `site` throws.
    mutating func report(
        _ moment: MemLeakReport, names: [UInt32: String], _ session: inout Session,
        site: (AllocationSite) throws(BPFError) -> LeakSite
    ) throws(BPFError) {
        let report: MemLeakReport
        if let recorder {
            report = try view.report(moment, comm: { names[$0] }) { (captured) throws(BPFError) in
                try recorder.site(captured, site)
            }
            recorder.add(.report(moment, names: names))
        } else {
            report = try view.report(moment, comm: { names[$0] }, site: site)
        }
        session.output.print(report, view, json: session.options.json)
    }

    /// The run is over: the peak is shown, the files are written.
    ///
    /// - Throws: `Failure` where one can't be written.
    mutating func finish(_ session: inout Session) throws(Failure) {
        session.output.printPeak(view, json: session.options.json)
        for line in annotations?.lines(view.leaks) ?? [] { session.output.note(line) }
        try recorder?.finish()
        if let profile = view.profile { files.take(profile) }
        try files.write()
    }
}

extension Session {
    /// The head of a run.
    func leakBegin(_ header: [String]) -> LeakBegin {
        LeakBegin(
            time: .now, version: swiftmemVersion, kernel: KernelVersion.runningRelease, pageBytes: pageBytes,
            rungs: probes.resolution.choices.map { LeakBegin.Rung(ladder: $0.ladder.id, rung: $0.rung?.id) },
            header: header)
    }

    /// Prints that tracing has begun.
    ///
    /// - Returns: false when nobody reads.
    mutating func begin(_ begin: LeakBegin) throws(Failure) -> Bool {
        output.print(begin, json: options.json)
        return try output.flush()
    }
}

extension Output {
    mutating func print(_ begin: LeakBegin, json: Bool) {
        if json { return print(begin.json) }
        for line in begin.header { print(Printable.text(line)) }
    }

    mutating func print(_ hooked: LeakHooked, json: Bool) {
        if json { print(hooked.json) } else { print(Printable.text(hooked.text)) }
    }

    /// Prints the stacks of the highest moment, where they are kept.
    mutating func printPeak(_ view: LeakView, json: Bool) {
        if json { for line in view.peakJSON { print(line) } } else { for line in view.peakLines { print(line) } }
    }

    /// Prints a report, and what is to be said about it.
    mutating func print(_ report: MemLeakReport, _ view: LeakView, json: Bool) {
        if json {
            for line in MemLeakJSON.lines(report) { print(line) }
        } else {
            let (lines, notes) = view.lines(report, forPeople: isatty(STDERR_FILENO) == 1)
            for line in lines { print(line) }
            for line in notes { note(line) }
        }
    }
}
