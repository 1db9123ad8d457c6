// SPDX-License-Identifier: Apache-2.0

/// A memory cgroup whose tasks stalled: their seconds, and beside them what PSI says of the same time.
public struct MemStallGroup: Hashable, Sendable {
    public let cgroup: CgroupPath
    /// Its tasks' own waits, without those of cgroups below.
    public let stalledNanoseconds: UInt64
    /// The part that PSI counts.
    public let psiNanoseconds: UInt64
    /// Its own, with those below it; nil where the kernel keeps none by cgroup.
    public let pressure: MemoryPressure?
    /// PSI's "some" as the stalls that were seen make it; nil where nothing is compared.
    public let explained: UInt64?

    public init(
        cgroup: CgroupPath, stalledNanoseconds: UInt64, psiNanoseconds: UInt64, pressure: MemoryPressure?,
        explained: UInt64?
    ) {
        (self.cgroup, self.stalledNanoseconds) = (cgroup, stalledNanoseconds)
        (self.psiNanoseconds, self.pressure, self.explained) = (psiNanoseconds, pressure, explained)
    }

    /// How much of PSI's "some" the stalls explain; nil where there is none to speak of, or nothing is compared.
    public var explainedRatio: Double? { ratio(of: explained, by: pressure) }
    /// The part of PSI's "some" that no stall explains, in PSI's own time.
    public var unexplainedNanoseconds: UInt64? { unexplained(explained, of: pressure) }

    /// One for each cgroup of an interval's rows, longest first.
    ///
    /// - Parameters:
    ///   - rows: of tasks.
    ///   - pressures: PSI's growth by cgroup; none of the root, whose PSI is the machine's.
    ///   - explained: by cgroup.
    public static func groups(
        _ rows: [MemStallRow], pressures: [CgroupPath: MemoryPressure], explained: [CgroupPath: UInt64]
    ) -> [MemStallGroup] {
        var sums: [CgroupPath: (stalled: UInt64, psi: UInt64)] = [:]
        for row in rows {
            guard let cgroup = row.cgroup, cgroup.path != "/", row.cause.isWait else { continue }
            let sum = sums[cgroup] ?? (0, 0)
            sums[cgroup] = (
                sum.stalled &+ row.counters.stalledNanoseconds, sum.psi &+ row.counters.psiNanoseconds
            )
        }
        return sums.map { cgroup, sum in
            MemStallGroup(
                cgroup: cgroup, stalledNanoseconds: sum.stalled, psiNanoseconds: sum.psi,
                pressure: pressures[cgroup], explained: pressures[cgroup] == nil ? nil : explained[cgroup])
        }.sorted { ($1.stalledNanoseconds, $0.cgroup.path) < ($0.stalledNanoseconds, $1.cgroup.path) }
    }
}

/// Below a millisecond of PSI there is nothing to compare.
private let leastPressure: UInt64 = 1_000_000

func ratio(of explained: UInt64?, by pressure: MemoryPressure?) -> Double? {
    guard let pressure, let explained, pressure.some >= leastPressure else { return nil }
    return Double(explained) / Double(pressure.some)
}

func unexplained(_ explained: UInt64?, of pressure: MemoryPressure?) -> UInt64? {
    guard let pressure, let explained else { return nil }
    return pressure.some > explained ? pressure.some - explained : 0
}
