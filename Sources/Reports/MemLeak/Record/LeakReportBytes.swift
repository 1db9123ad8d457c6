// SPDX-License-Identifier: Apache-2.0

extension ByteWriter {
    /// A report without its stacks and what follows from them.
    mutating func add(_ report: MemLeakReport, _ tables: inout LeakRecordTables) {
        add(UInt64(bitPattern: report.time.nanoseconds))
        add(report.monotonic)
        for sum in [report.total, report.younger, report.gone] { add(sum, since: report.monotonic) }
        add(report.baseline != nil)
        if let baseline = report.baseline { add(baseline, since: report.monotonic) }
        add(short: report.minimumAge)
        add(short: report.sampleRate)
        add(optional: report.sampleBytes)
        add(report.isSampledInProcess)
        add(short: UInt64(report.blocks.count))
        for block in report.blocks {
            add(short: block.address)
            add(short: block.bytes)
        }
        for counter in MemLeakCounters.all { add(short: report.counters[keyPath: counter]) }
        add(short: UInt64(report.losses.counts.count))
        for count in report.losses.counts { add(short: count) }
        add(short: report.leftOut.count)
        add(short: UInt64(report.leftOut.files.count))
        for file in report.leftOut.files {
            for text in [file.file, file.part, file.reason, file.words] { add(text, &tables) }
            add(file.functions, &tables)
        }
        add(report.kernel != nil)
        if let kernel = report.kernel { add(kernel, &tables) }
    }

    private mutating func add(_ kernel: KernelLeakCounters, _ tables: inout LeakRecordTables) {
        for counter in KernelLeakCounters.all { add(short: kernel[keyPath: counter]) }
        add(kernel.seesBulk)
        add(kernel.unseenCaches, &tables)
        add(short: UInt64(kernel.doubtful.count))
        for check in kernel.doubtful {
            add(check.cache, &tables)
            for number in [check.outstanding, check.inUse, check.growth] { add(short: number) }
        }
    }

    mutating func add(_ texts: [String], _ tables: inout LeakRecordTables) {
        add(short: UInt64(texts.count))
        for text in texts { add(text, &tables) }
    }
}

extension ByteReader {
    mutating func report(_ lists: inout LeakRecordLists) -> MemLeakReport? {
        guard let time = number(UInt64.self), let monotonic = moment(), let total = sum(since: monotonic),
            let younger = sum(since: monotonic), let gone = sum(since: monotonic), let hasBaseline = flag()
        else { return nil }
        var baseline: OutstandingSum?
        if hasBaseline {
            guard let sum = sum(since: monotonic) else { return nil }
            baseline = sum
        }
        guard let minimumAge = short(), let sampleRate = short(), let sampleBytes = optional(),
            let isSampledInProcess = flag(),
            let blockCount = count()
        else { return nil }
        var blocks: [OutstandingBlock] = []
        for _ in 0..<blockCount {
            guard let address = short(), let bytes = short() else { return nil }
            blocks.append(OutstandingBlock(address: address, bytes: bytes))
        }
        var counters = MemLeakCounters()
        for counter in MemLeakCounters.all {
            guard let value = short() else { return nil }
            counters[keyPath: counter] = value
        }
        var losses: [UInt64] = []
        guard let lossCount = count() else { return nil }
        for _ in 0..<lossCount {
            guard let value = short() else { return nil }
            losses.append(value)
        }
        guard let leftOut = leftOut(&lists), let hasKernel = flag() else { return nil }
        var kernel: KernelLeakCounters?
        if hasKernel {
            guard let counters = kernelCounters(&lists) else { return nil }
            kernel = counters
        }
        var report = MemLeakReport(
            time: WallTime(nanoseconds: Int64(bitPattern: time)), monotonic: monotonic, total: total, blocks: blocks,
            counters: counters, losses: Losses(counts: losses), sampleRate: sampleRate, sampleBytes: sampleBytes,
            kernel: kernel, gone: gone, leftOut: leftOut, younger: younger, minimumAge: minimumAge)
        report.isSampledInProcess = isSampledInProcess
        report.baseline = baseline
        return report
    }

    private mutating func leftOut(_ lists: inout LeakRecordLists) -> FilesLeftOut? {
        guard let all = short(), let count = count(), UInt64(count) <= all else { return nil }
        var files: [FileLeftOut] = []
        for _ in 0..<count {
            guard case .some(.some(let file)) = text(&lists), case .some(.some(let part)) = text(&lists),
                case .some(.some(let reason)) = text(&lists), case .some(.some(let words)) = text(&lists),
                let functions = texts(&lists)
            else { return nil }
            files.append(FileLeftOut(file: file, part: part, reason: reason, functions: functions, words: words))
        }
        return FilesLeftOut(files: files, count: all)
    }

    private mutating func kernelCounters(_ lists: inout LeakRecordLists) -> KernelLeakCounters? {
        var kernel = KernelLeakCounters()
        for counter in KernelLeakCounters.all {
            guard let value = short() else { return nil }
            kernel[keyPath: counter] = value
        }
        guard let seesBulk = flag(), let unseen = texts(&lists), let count = count() else { return nil }
        (kernel.seesBulk, kernel.unseenCaches) = (seesBulk, unseen)
        for _ in 0..<count {
            guard case .some(.some(let cache)) = text(&lists), let outstanding = short(), let inUse = short(),
                let growth = short()
            else { return nil }
            kernel.doubtful.append(SlabCheck(cache: cache, outstanding: outstanding, inUse: inUse, growth: growth))
        }
        return kernel
    }

    mutating func texts(_ lists: inout LeakRecordLists) -> [String]? {
        guard let count = count() else { return nil }
        var texts: [String] = []
        for _ in 0..<count {
            guard case .some(.some(let text)) = text(&lists) else { return nil }
            texts.append(text)
        }
        return texts
    }
}
