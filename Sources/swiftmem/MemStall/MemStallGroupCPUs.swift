// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports
internal import TraceRecords

/// What PSI's "some" of each cgroup comes to by its tasks' stalls: those of each CPU, weighed by the time that PSI says
/// the cgroup was not idle there.
struct MemStallGroupCPUs {
    private let map: BPFMap<memstall_group_cpu, memstall_cpu>
    /// Reads PSI's own sums on the CPU where it is run; nil where it can't be loaded.
    private let weigh: Program?
    private let cpus = UInt32(possibleCPUs)
    private var sums: [UInt64: CPUStallSum] = [:]

    init(_ session: borrowing Session) throws {
        map = try session.probes.object.map("group_cpus")
        switch session.probes.resolution[MemStall.Weights.self] {
        case .tracepoint: weigh = try session.probes.object.program("weigh_rawtp")
        case nil: weigh = nil
        }
    }

    /// Is anything compared?
    var isKnown: Bool { weigh != nil }

    /// Nanoseconds since the start, by cgroup.
    var explained: [UInt64: UInt64] { sums.mapValues { UInt64($0.some) } }

    /// Ends a span of at most a few seconds; a PSI sum has 32 bits.
    mutating func advance() throws {
        guard let weigh else { return }
        var groups: Set<UInt64> = []
        try map.forEach { key, _ in groups.insert(key.cgroup) }
        for group in groups {
            for cpu in 0..<cpus { try Self.run(weigh, for: group, on: cpu) }
        }
        var stalled: [UInt64: [UInt64]] = [:], busy: [UInt64: CPUBusyTimes] = [:]
        let now = monotonicNow()
        try map.forEach { key, record in
            guard key.cpu < cpus else { return }
            stalled[key.cgroup, default: [UInt64](repeating: 0, count: Int(cpus))][Int(key.cpu)] =
                record.stalledNanoseconds(at: now)
            busy[key.cgroup, default: CPUBusyTimes(ticks: [:])].ticks[Int(key.cpu)] = record.nonidle_ns
        }
        for (group, times) in stalled {
            let nothing = CPUStallSum(stalled: [], busy: CPUBusyTimes(ticks: [:]), unitNanoseconds: 1)
            sums[group, default: nothing].advance(stalled: times, busy: busy[group] ?? CPUBusyTimes(ticks: [:]))
        }
    }

    private static func run(_ program: Program, for group: UInt64, on cpu: UInt32) throws(BPFError) {
        let arguments = withUnsafeBytes(of: group) { Array($0) }
        do {
            _ = try program.testRun(context: arguments, on: cpu)
        } catch {
            // the CPU is offline
            guard error.code == ENXIO else { throw error }
        }
    }

    /// A cgroup that is gone.
    mutating func forget(_ group: UInt64) throws(BPFError) {
        for cpu in 0..<cpus { try map.remove(memstall_group_cpu(cgroup: group, cpu: cpu, padding: 0)) }
        sums[group] = nil
    }
}
