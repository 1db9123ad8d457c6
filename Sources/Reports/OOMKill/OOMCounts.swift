// SPDX-License-Identifier: Apache-2.0

/// Kills by the victim's memory cgroup. They stay when the cgroup is gone, as a container's is soon after its kill.
public struct OOMCounts: Hashable, Sendable {
    /// The kills of one cgroup.
    public struct Row: Hashable, Sendable {
        /// nil: not known, or one beyond the first 4096.
        public var cgroup: CgroupPath?
        /// By the kernel.
        public var kills: UInt64
        /// By programs.
        public var userspaceKills: UInt64
    }

    static let most = 4096

    private var rows: [CgroupPath?: Row] = [:]

    public init() {}

    public mutating func add(to cgroup: CgroupPath?, byProgram: Bool) {
        let place = rows[cgroup] != nil || rows.count < Self.most ? cgroup : nil
        var row = rows[place] ?? Row(cgroup: place, kills: 0, userspaceKills: 0)
        if byProgram { row.userspaceKills += 1 } else { row.kills += 1 }
        rows[place] = row
    }

    /// The most kills first.
    public var all: [Row] {
        rows.values.sorted { one, other in
            let (first, second) = (one.kills + one.userspaceKills, other.kills + other.userspaceKills)
            return first == second ? (one.cgroup?.path ?? "") < (other.cgroup?.path ?? "") : first > second
        }
    }
}
