// SPDX-License-Identifier: Apache-2.0
internal import CBPFObjects
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports
internal import SystemLayer

/// One run of a tool: its probes in place, its output, and what was lost.
struct Session: ~Copyable {
    let probes: AttachedProbes
    var output: Output
    let options: ReportOptions
    /// What a report lacks besides, in lines.
    var incomplete: [String]
    private let lossMap: PerCPUMap<UInt32, UInt64>
    private var shown: Losses

    /// Checks permissions, then resolves, loads and attaches what a tool's mode consists of.
    ///
    /// - Throws: `Failure` where a right is missing; `ProbeError` where a ladder that the mode can't do without has
    ///   no rung here, or the kernel refuses it; `BPFError` where the object counts no losses.
    init(_ mode: ToolMode, _ options: ReportOptions) throws {
        // Every field is assigned behind the last throw, and none has a value of its own: Swift 6.2 destroys such a
        // value of a noncopyable type twice.
        let probes = try Self.attach(mode, options)
        let lossMap: PerCPUMap<UInt32, UInt64> = try probes.object.perCPUMap("losses")
        self.probes = probes
        self.options = options
        self.lossMap = lossMap
        output = Output()
        incomplete = []
        shown = Losses()
    }

    private static func attach(_ mode: ToolMode, _ options: ReportOptions) throws -> AttachedProbes {
        let probes = mode.probes
        try Failure.checkRoomForFiles(probes.tool)
        let kernel = try Environment.kernel(btf: options.btf)
        if let running = kernel as? RunningKernel {
            try Capabilities.own.require(for: probes.tool)
            if let missing = running.missingBTF() { throw Failure(missingBTF: missing, in: options.btf) }
        }
        if options.verbose { LibbpfLog.route { _, text in note(text) } }
        let forced = try Environment.forcedRungs()
        let attached = try AttachedProbes.attach(
            probes, image: objectImage(probes.object), oracle: kernel, forced: forced, btf: options.btf,
            configure: mode.prepare, note: { if options.verbose { note($0) } })
        if options.verbose { explain(attached.resolution) }
        try mode.dropPrivileges(attached.resolution)
        return attached
    }

    private static func explain(_ resolution: Resolution) {
        for choice in resolution.choices {
            note("\(choice.ladder.id): \(choice.rung?.id ?? "none")")
            for passed in choice.passedOver { note("  not \(passed.rung): \(passed.reason)") }
        }
    }

    /// Tells the reader that tracing is on: from here on nothing is missed. In JSON
    /// every stream begins with a `start` object; in text with the tool's header.
    ///
    /// - Returns: false when nobody reads.
    mutating func begin(_ header: String) throws(Failure) -> Bool {
        if options.json {
            output.print(
                StartJSON.line(
                    time: .now, tool: probes.resolution.tool, version: swiftmemVersion,
                    kernel: KernelVersion.runningRelease, pageBytes: pageBytes,
                    rungs: probes.resolution.rungNames))
        } else {
            output.print(header)
        }
        return try output.flush()
    }

    /// Everything lost since the start.
    func losses() throws(BPFError) -> Losses {
        var counts: [UInt64] = []
        for cause in 0..<UInt32(Losses.kernelCauses) { counts.append(try lossMap.sum(for: cause)) }
        var losses = Losses(counts: counts)
        let backups = probes.resolution.backups
        for program in probes.resolution.programs where !backups.values.contains(program) {
            var skipped = try probes.object.program(program).info().skippedRuns
            if skipped > 0, let backup = backups[program] {
                skipped = min(skipped, try probes.object.program(backup).info().skippedRuns)
            }
            losses.addSkipped(skipped)
        }
        return losses
    }

    /// Says in text mode, on standard error, what was lost since this was last said; JSON carries it itself.
    mutating func showLosses() throws(BPFError) {
        guard !options.json else { return }
        let now = try losses()
        for line in now.since(shown).lines { output.note("lost: " + line) }
        shown = now
    }

    /// The end of a run: with `--strict`, an incomplete one is a failure.
    func finish() throws {
        guard options.strict else { return }
        let lost = try losses()
        guard lost.total == 0, incomplete.isEmpty else {
            throw Failure(
                status: Failure.Status.incomplete, message: "the report is incomplete",
                details: lost.lines + incomplete)
        }
    }
}

/// An embedded object by its name; empty where there is none, which libbpf refuses.
func objectImage(_ name: String) -> UnsafeRawBufferPointer {
    // SAFETY: the images are constants of the binary.
    guard let image = bpf_object_image(name) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: image.pointee.bytes, count: image.pointee.size)
}

/// One line on standard error, fit for a terminal.
func note(_ text: String) {
    let lines = text.split(separator: "\n").map { Printable.text(String($0)) + "\n" }
    writeAll(STDERR_FILENO, Array(lines.joined().utf8))
}
