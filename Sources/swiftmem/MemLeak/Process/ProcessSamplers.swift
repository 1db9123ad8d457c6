// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Reports
internal import SystemLayer

/// That samplers in the processes take the samples: those that are there, or one that a command is given.
struct ProcessSamplers {
    /// Bytes between two samples, on average.
    let distance: UInt64
    /// By process, of those that were there before the start.
    let found: [UInt32: ProcessSampler]

    /// nil: every call is traced.
    ///
    /// A process that has a sampler is traced by it, where nothing was asked for that it can't do.
    ///
    /// - Throws: `Failure` where it was asked for by name and can't be.
    init?(_ arguments: MemLeakArguments, _ settings: MemLeakSettings, _ target: ProcessTarget) throws(Failure) {
        let others: [(isGiven: Bool, option: String)] = [
            (settings.sampleRate > 1, "-s"), (settings.combinedOnly, "--combined-only"), (settings.trace, "-t"),
            (arguments.obj != nil, "-O"), (arguments.symbolsPrefix != nil, "--symbols-prefix"),
            (arguments.target.follow, "--follow"),
        ]
        if arguments.sampled, let other = others.first(where: { $0.isGiven }) {
            throw .usage("--sampled does not go with \(other.option)")
        }
        switch target {
        case .cgroup:
            if arguments.sampled { throw .usage("--sampled is of processes (-p) and of a command (-c)") }
            return nil
        case .command:
            guard arguments.sampled else { return nil }
            distance = arguments.sampleBytes?.value ?? 512 << 10
            found = [:]
            try Self.preload(distance)
        case .processes(let pids):
            if !arguments.sampled && (arguments.sampleBytes != nil || others.contains(where: { $0.isGiven })) {
                return nil
            }
            if arguments.sampleBytes != nil {
                throw .usage("--sample-bytes: the sampler in a process has its own, from its start on")
            }
            var found: [UInt32: ProcessSampler] = [:]
            for pid in pids {
                if let sampler = ProcessSampler(of: pid) {
                    found[pid] = sampler
                } else if arguments.sampled {
                    throw Failure(
                        status: Failure.Status.unavailable, message: "no sampler takes samples in process \(pid)",
                        remedy: "start it with LD_PRELOAD=…/lib/swiftmem/libswiftmem-sampler.so")
                }
            }
            let distances = Set(found.values.map(\.distance))
            guard found.count == pids.count, distances.count == 1, let distance = distances.first else {
                if arguments.sampled {
                    throw .usage("--sampled: the processes' samples are at different distances: one process at a time")
                }
                return nil
            }
            (self.distance, self.found) = (distance, found)
        }
    }

    /// Has every command that is started from here on load the sampler.
    private static func preload(_ distance: UInt64) throws(Failure) {
        guard let library = SamplerLibrary.path else { throw SamplerLibrary.missing }
        let others = getenv("LD_PRELOAD").map { ":" + String(cString: $0) } ?? ""
        // SAFETY: before the command is forked, by the one thread there is.
        setenv("LD_PRELOAD", library + others, 1)
        setenv("SWIFTMEM_SAMPLE_BYTES", "\(distance)", 1)
    }
}
