// SPDX-License-Identifier: Apache-2.0

/// Which processes of a second are recorded: those that an OOM would choose among, and those that grow. Some fifty
/// of five thousand matter, and the recorder's file is bounded.
public struct OOMSelection: Sendable {
    /// Processes with the most points on the machine.
    static let mostOfMachine = 32
    /// Processes with the most points in each cgroup that has a limit.
    static let mostOfCgroup = 16
    /// Processes that have grown most since the last second.
    static let mostGrown = 16
    /// Processes in one sample, at most.
    static let most = 512

    private struct Earlier {
        let pid: UInt32
        let start: UInt64
        let bytes: UInt64
    }

    /// All processes of the last second, by PID.
    private var before: [Earlier] = []

    public init() {}

    /// - Parameters:
    ///   - processes: all of them, each once.
    ///   - limited: for each cgroup with a limit, the ids of those below it, itself included.
    ///   - totalPages: RAM and swap of the machine.
    public mutating func choose(
        _ processes: [OOMProcess], limited: [Set<UInt64>], totalPages: UInt64, pageBytes: UInt64
    ) -> [OOMProcess] {
        var chosen: Set<Int> = []
        func take(_ places: [Int]) {
            for place in places where chosen.count < Self.most { chosen.insert(place) }
        }
        // by points; among processes that are never chosen, by memory
        let points = processes.map { $0.points(totalPages: totalPages, pageBytes: pageBytes) ?? .min }
        let bytes = processes.map(\.bytes)
        take(largest(Self.mostOfMachine, of: processes.indices) { (points[$0], bytes[$0]) < (points[$1], bytes[$1]) })
        if !limited.isEmpty {
            let byCgroup = Dictionary(grouping: processes.indices) { processes[$0].cgroupID }
            for ids in limited {
                let own = ids.flatMap { byCgroup[$0] ?? [] }
                take(largest(Self.mostOfCgroup, of: own) { bytes[$0] < bytes[$1] })
            }
        }
        let growth = growth(processes)
        take(
            largest(Self.mostGrown, of: processes.indices.filter { growth[$0] > 0 }) { growth[$0] < growth[$1] })
        return chosen.map { processes[$0] }.sorted { ($0.bytes, $1.pid) > ($1.bytes, $0.pid) }
    }

    /// By how much each has grown since the last call, at its place; 0 for one that has not, or is new.
    private mutating func growth(_ processes: [OOMProcess]) -> [UInt64] {
        var growth = [UInt64](repeating: 0, count: processes.count)
        // the kernel's iterator goes by PID, and so both lists are walked once
        var order = Array(processes.indices)
        if zip(processes, processes.dropFirst()).contains(where: { $0.pid > $1.pid }) {
            order.sort { processes[$0].pid < processes[$1].pid }
        }
        var at = 0
        for place in order {
            let process = processes[place]
            while at < before.count, before[at].pid < process.pid { at += 1 }
            guard at < before.count, before[at].pid == process.pid, before[at].start == process.startNanoseconds
            else { continue }
            growth[place] = process.bytes > before[at].bytes ? process.bytes - before[at].bytes : 0
        }
        before = order.map {
            Earlier(pid: processes[$0].pid, start: processes[$0].startNanoseconds, bytes: processes[$0].bytes)
        }
        return growth
    }
}

/// The largest elements, at most so many, largest first; of equal ones the first. It looks once at each, and keeps no more.
func largest<Element>(
    _ count: Int, of elements: some Sequence<Element>, by areInIncreasingOrder: (Element, Element) -> Bool
) -> [Element] {
    var kept: [Element] = []
    guard count > 0 else { return kept }
    kept.reserveCapacity(count + 1)
    for element in elements {
        if kept.count == count, let least = kept.last, !areInIncreasingOrder(least, element) { continue }
        var low = 0, high = kept.count
        while low < high {
            let middle = (low + high) / 2
            if areInIncreasingOrder(kept[middle], element) { high = middle } else { low = middle + 1 }
        }
        kept.insert(element, at: low)
        if kept.count > count { kept.removeLast() }
    }
    return kept
}
