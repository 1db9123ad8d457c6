// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer
internal import SystemPackage
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Reports
internal import Symbols
internal import Unwind

/// What the arguments of memleak come to.
struct MemLeakPlan {
    let settings: MemLeakSettings
    let target: ProcessTarget
    /// What the processes fork is traced too.
    let follow: Bool
    let search: AllocatorSearch
    let stack: StackMode
    /// Samplers in the processes take the samples.
    let samplers: ProcessSamplers?
    /// Bytes between two samples, on average; nil: samples are not taken by bytes.
    let sampleBytes: UInt64?
    /// Frames have source files and lines.
    let lines: Bool
    /// What reading the processes' files may cost.
    let reading: FileReading

    /// Probes fire wherever an allocator's file is mapped, not in chosen processes only.
    var isWide: Bool { follow || target.cgroup != nil }

    /// What a recorded allocation stands for.
    var sampleWeight: SampleWeight {
        sampleBytes.map { .distance(Double($0)) } ?? .oneIn(settings.sampleRate)
    }

    /// Gives the programs the distances between samples: the quantiles of the exponential
    /// distribution, scaled so that their mean is exact.
    func fillSampleGaps(_ object: borrowing LoadedObject) throws(BPFError) {
        guard let mean = sampleBytes, samplers == nil else { return }
        let gaps: BPFMap<UInt32, UInt64> = try object.map("sample_gaps")
        let count = Int(SAMPLE_GAPS)
        let quantiles = (0..<count).map { -log1p(-(Double($0) + 0.5) / Double(count)) }
        let scale = Double(mean) * Double(count) / quantiles.reduce(0, +)
        for (index, quantile) in quantiles.enumerated() {
            try gaps.set(UInt32(index), to: max(1, UInt64((quantile * scale).rounded())))
        }
    }

    /// The run that is asked for.
    ///
    /// - Parameter found: the allocators of the processes that were there before the start.
    func mode(_ found: [FoundAllocators]) -> ToolMode {
        // what may come to be mapped is not known but of these
        let isKnown = !found.isEmpty && !isWide
        let marksFrees = !isKnown || found.contains { $0.files.contains(where: \.marksFrees) }
        var filter = filter_config()
        if let cgroup = target.cgroup { filter.choose(cgroup) }
        return MemLeakProbes.mode(
            config: config(marksFrees: marksFrees), filter: filter, stack: stack,
            maxAllocations: settings.maxAllocations, runsCommand: target.isCommand,
            calls: samplers == nil ? [MemLeakProbes.Allocators.self] : [MemLeakProbes.Samplers.self])
    }

    /// The programs' read-only data, but for what depends on the rungs.
    private func config(marksFrees: Bool) -> memleak_config {
        var config = memleak_config()
        config.min_size = settings.sizes.lowerBound
        config.max_size = settings.sizes.upperBound
        let rate = settings.sampleRate
        config.sample_threshold = rate > 1 ? UInt32(clamping: max(1, (UInt64(1) << 32) / rate)) : 0
        if target.cgroup != nil { config.by_cgroup = 1 } else { config.chosen_only = isWide ? 1 : 0 }
        config.follow = follow ? 1 : 0
        config.totals = settings.combinedOnly ? 1 : 0
        config.made = settings.combinedOnly ? 0 : 1
        config.trace = settings.trace ? 1 : 0
        config.mark_frees = marksFrees ? 1 : 0
        config.sample_bytes = sampleBytes == nil || samplers != nil ? 0 : 1
        // for Scripts/bench-memleak: what the probes cost by themselves
        config.empty = Environment.recordsNothing ? 1 : 0
        return config
    }
}
