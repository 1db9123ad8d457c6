// SPDX-License-Identifier: Apache-2.0
internal import Symbols
internal import TraceRecords

/// What the user asks of memleak, checked: the one place where options are refused that don't go together.
enum MemLeakRequest {
    case kernel(KernelLeakPlan)
    case processes(MemLeakPlan)

    /// - Throws: `Failure` where options contradict each other, or name what is not there.
    init(_ arguments: MemLeakArguments) throws(Failure) {
        if arguments.record != nil, arguments.trace {
            throw .usage("--record keeps what is outstanding, not each call (-t)")
        }
        let settings = try MemLeakSettings(arguments)
        self =
            arguments.namesProcesses
            ? .processes(try Self.processes(arguments, settings)) : .kernel(try Self.kernel(arguments, settings))
    }

    private static func kernel(
        _ arguments: MemLeakArguments, _ settings: MemLeakSettings
    ) throws(Failure) -> KernelLeakPlan {
        let others: [(isGiven: Bool, option: String)] = [
            (arguments.symbolsPrefix != nil, "--symbols-prefix"),
            (arguments.target.follow, "--follow"), (arguments.target.exitStatus, "--exit-status"),
            (arguments.stacks.lines, "--lines"), (arguments.sampled, "--sampled"),
            (arguments.failOnLeak != nil, "--fail-on-leak"),
            (arguments.sampleBytes != nil, "--sample-bytes"),
        ]
        for other in others where other.isGiven {
            throw .usage("\(other.option) is of processes: with -p, -c or --cgroup")
        }
        // bcc's takes it there too, and pays no heed to it
        if arguments.obj != nil { note("memleak: -O is of processes: without -p, -c or --cgroup it changes nothing") }
        if let cache = arguments.cache {
            if arguments.percpu { throw .usage("--cache: per-CPU memory is in no slab cache") }
            guard cache.utf8.count < Int(KERNELLEAK_CACHE_NAME) else {
                throw .badValue("--cache: no slab cache has so long a name")
            }
            try SlabCaches.require(cache)
        }
        return KernelLeakPlan(
            settings: settings, percpu: arguments.percpu, cache: arguments.cache,
            maxOverhead: arguments.maxOverhead?.value)
    }

    private static func processes(
        _ arguments: MemLeakArguments, _ settings: MemLeakSettings
    ) throws(Failure) -> MemLeakPlan {
        let others: [(isGiven: Bool, option: String)] = [
            (arguments.percpu, "--percpu"), (arguments.cache != nil, "--cache"),
            (arguments.maxOverhead != nil, "--max-overhead"),
        ]
        for other in others where other.isGiven {
            throw .usage("\(other.option) is of the kernel: without -p, -c and --cgroup")
        }
        if arguments.sampleBytes != nil && (settings.combinedOnly || settings.sampleRate > 1) {
            throw .usage("--sample-bytes goes with neither -s nor --combined-only")
        }
        if arguments.failOnLeak != nil && settings.combinedOnly {
            throw .usage("--combined-only keeps no ages for --fail-on-leak to tell leaks by")
        }
        let target = try ProcessTarget(arguments.target, arguments.words, lacking: "allocator")
        let samplers = try ProcessSamplers(arguments, settings, target)
        let parsers = ParserPool()
        parsers.prepare()
        let reading = FileReading(parsers: parsers)
        return MemLeakPlan(
            settings: settings, target: target, follow: arguments.target.follow,
            search: AllocatorSearch(
                object: arguments.obj, prefix: arguments.symbolsPrefix, samplerOnly: samplers != nil, reading: reading),
            stack: arguments.stacks.stack, samplers: samplers,
            sampleBytes: samplers?.distance ?? arguments.sampleBytes?.value,
            lines: arguments.stacks.lines,
            reading: reading)
    }
}
