// SPDX-License-Identifier: Apache-2.0
internal import Reports
internal import SystemLayer

/// Reads what memory each process has, and the shares of the largest.
enum ProcessReader {
    /// The largest first, by resident size.
    ///
    /// - Parameters:
    ///   - kernel: tells all but the shares; nil: /proc does.
    ///   - budget: nanoseconds for the shares.
    static func read(_ kernel: KernelWalk?, budget: UInt64) -> [ProcessMemory] {
        var processes = kernel?.processes() ?? ProcFS.processIDs().compactMap(one)
        processes.sort { ($0.rssBytes, $1.pid) > ($1.rssBytes, $0.pid) }
        var budget = RollupBudget(nanoseconds: budget)
        for index in processes.indices {
            guard budget.left > 0 else { break }
            let rss = processes[index].rssBytes
            guard budget.allows(rss) else { continue }
            let began = monotonicNow()
            if let text = readBytes(ProcessFiles(processes[index].pid).path("smaps_rollup")) {
                processes[index].add(smapsRollup: text)
            }
            budget.spend(monotonicNow() - began, on: rss)
        }
        return processes
    }

    private static func one(_ pid: UInt32) -> ProcessMemory? {
        let files = ProcessFiles(pid)
        // it may have ended
        guard let status = readBytes(files.path("status")) else { return nil }
        let text = ProcessStatus(String(decoding: status, as: UTF8.self))
        let uid = text.words("Uid")?.dropFirst().first.flatMap { UInt32($0) }
        return ProcessMemory(pid: pid, comm: files.comm ?? "?", uid: uid, status: status)
    }
}
