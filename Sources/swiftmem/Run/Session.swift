// SPDX-License-Identifier: Apache-2.0
internal import CBPFObjects
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports

/// One run of a tool: its probes in place, its output, and what was lost.
struct Session: ~Copyable {
    let probes: AttachedProbes
    var output = Output()
    let options: ReportOptions
    private let lossMap: PerCPUMap<UInt32, UInt64>
    private var shown = Losses()

    /// Checks permissions, then resolves, loads and attaches the tool's probes.
    ///
    /// - Parameter configure: sets the programs' read-only data.
    init(
        _ probes: ProbeSet, _ options: ReportOptions,
        configure: (borrowing OpenObject, Resolution) throws(BPFError) -> Void
    ) throws(Failure) {
        let attached = try Self.attach(probes, options, configure)
        lossMap = try explained { () throws(BPFError) in
            try attached.object.perCPUMap("losses")
        }
        self.probes = attached
        self.options = options
    }

    private static func attach(
        _ probes: ProbeSet, _ options: ReportOptions,
        _ configure: (borrowing OpenObject, Resolution) throws(BPFError) -> Void
    ) throws(Failure) -> AttachedProbes {
        let kernel = Environment.kernel(btf: options.btf)
        if let running = kernel as? RunningKernel {
            try Capabilities.own.require(for: probes.tool)
            if let missing = running.missingBTF() { throw Failure(missingBTF: missing, in: options.btf) }
        }
        if options.verbose { LibbpfLog.route { _, text in note(text) } }
        let forced = try Environment.forcedRungs()
        do throws(ProbeError) {
            let attached = try AttachedProbes.attach(
                probes, image: objectImage(probes.object), oracle: kernel, forced: forced,
                btf: options.btf,
                configure: { (object, resolution) throws(BPFError) in
                    try setPossibleCPUs(of: object)
                    try configure(object, resolution)
                },
                note: { if options.verbose { note($0) } })
            if options.verbose { tell(attached.resolution) }
            return attached
        } catch {
            throw Failure(error)
        }
    }

    private static func tell(_ resolution: Resolution) {
        for choice in resolution.choices {
            note("\(choice.ladder.name): \(choice.rung?.name ?? "none")")
            for passed in choice.passedOver { note("  not \(passed.rung): \(passed.reason)") }
        }
    }

    /// Tells the reader that tracing is on: from here on nothing is missed. In JSON
    /// every stream begins with a `start` object; in text with the tool's header.
    ///
    /// - Returns: false when nobody reads.
    mutating func begin(_ header: String) throws(Failure) -> Bool {
        if options.json {
            var rungs = JSONLine()
            for choice in probes.resolution.choices {
                rungs.add(choice.ladder.name, choice.rung?.name)
            }
            var line = JSONLine(type: "start")
            line.add("time", WallTime.now.rfc3339)
            line.add("tool", probes.resolution.tool)
            line.add("version", swiftmemVersion)
            line.add("kernel", KernelVersion.runningRelease)
            line.add("rungs", rungs)
            output.print(line)
        } else {
            output.print(header)
        }
        return try output.flush()
    }

    /// Everything lost since the start.
    func losses() throws(Failure) -> Losses {
        var counts: [UInt64] = []
        for cause in 0..<UInt32(Losses.kernelCauses) {
            do throws(BPFError) {
                counts.append(try lossMap.sum(for: cause))
            } catch {
                throw Failure(error)
            }
        }
        var losses = Losses(counts: counts)
        let twins = probes.resolution.twins
        for program in probes.resolution.programs where !twins.values.contains(program) {
            losses.addSkipped(
                try explained { () throws(BPFError) in
                    let skipped = try probes.object.program(program).info().skippedRuns
                    guard let twin = twins[program], skipped > 0 else { return skipped }
                    return min(skipped, try probes.object.program(twin).info().skippedRuns)
                })
        }
        return losses
    }

    /// Says in text mode what was lost since this was last said; JSON carries it itself.
    mutating func showLosses() throws(Failure) {
        guard !options.json else { return }
        let now = try losses()
        for line in now.since(shown).lines { output.print("lost: " + line) }
        shown = now
    }

    /// The end of a run: with `--strict`, an incomplete one is a failure.
    func finish() throws(Failure) {
        guard options.strict else { return }
        let lost = try losses()
        guard lost.total == 0 else {
            throw Failure(
                status: Failure.Status.incomplete, message: "the report is incomplete",
                details: lost.lines)
        }
    }
}

/// An embedded object by its name; empty where there is none, which libbpf refuses.
func objectImage(_ name: String) -> UnsafeRawBufferPointer {
    // SAFETY: the images are constants of the binary.
    guard let image = bpf_object_image(name) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: image.pointee.bytes, count: image.pointee.size)
}

/// Tells programs that sum over the CPUs (BPF/lib/percpu.h) how many there can be.
func setPossibleCPUs(of object: borrowing OpenObject) throws(BPFError) {
    guard object.maps.contains(where: { $0.name == ".rodata.cpus" }) else { return }
    try object.setReadOnlyData(".rodata.cpus", to: UInt32(possibleCPUs))
}

/// One line on standard error, fit for a terminal.
func note(_ text: String) {
    let lines = text.split(separator: "\n").map { Printable.text(String($0)) + "\n" }
    writeAll(STDERR_FILENO, Array(lines.joined().utf8))
}

/// Runs a call of LibBPF, its error made a user's.
@discardableResult
func explained<Value: ~Copyable>(
    _ body: () throws(BPFError) -> Value
) throws(Failure) -> Value {
    do throws(BPFError) {
        return try body()
    } catch {
        throw Failure(error)
    }
}
