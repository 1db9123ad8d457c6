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

    private struct Identity: Hashable {
        let pid: UInt32
        let start: UInt64
    }

    private var before: [Identity: UInt64] = [:]

    public init() {}

    /// - Parameters:
    ///   - processes: all of them.
    ///   - limited: for each cgroup with a limit, the ids of those below it, itself included.
    ///   - totalPages: RAM and swap of the machine.
    public mutating func choose(
        _ processes: [OOMProcess], limited: [Set<UInt64>], totalPages: UInt64, pageBytes: UInt64
    ) -> [OOMProcess] {
        var chosen: [Identity: OOMProcess] = [:]
        func take(_ some: some Sequence<OOMProcess>) {
            for process in some where chosen.count < Self.most { chosen[identity(process)] = process }
        }
        func identity(_ process: OOMProcess) -> Identity {
            Identity(pid: process.pid, start: process.startNanoseconds)
        }
        // by points; among processes that are never chosen, by memory
        let byPoints = processes.sorted { left, right in
            let (a, b) = (
                left.points(totalPages: totalPages, pageBytes: pageBytes) ?? .min,
                right.points(totalPages: totalPages, pageBytes: pageBytes) ?? .min
            )
            return (a, left.bytes) > (b, right.bytes)
        }
        take(byPoints.prefix(Self.mostOfMachine))
        let byCgroup = Dictionary(grouping: processes, by: \.cgroupID)
        for ids in limited {
            let own = ids.flatMap { byCgroup[$0] ?? [] }
            take(own.sorted { $0.bytes > $1.bytes }.prefix(Self.mostOfCgroup))
        }
        let grown = processes.compactMap { process -> (OOMProcess, UInt64)? in
            guard let old = before[identity(process)], process.bytes > old else { return nil }
            return (process, process.bytes - old)
        }
        take(grown.sorted { $0.1 > $1.1 }.prefix(Self.mostGrown).map(\.0))
        before = [:]
        for process in processes { before[identity(process)] = process.bytes }
        return chosen.values.sorted { ($0.bytes, $1.pid) > ($1.bytes, $0.pid) }
    }
}
