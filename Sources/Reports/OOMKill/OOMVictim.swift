// SPDX-License-Identifier: Apache-2.0

/// What bounded the allocation that failed: enum oom_constraint (include/linux/oom.h).
public enum OOMConstraint: UInt32, Sendable {
    case none, cpuset, memoryPolicy, memoryCgroup

    /// As JSON and users name it.
    public var name: String {
        switch self {
        case .none: "global"
        case .cpuset: "cpuset"
        case .memoryPolicy: "mempolicy"
        case .memoryCgroup: "memcg"
        }
    }
}

/// A process that the kernel killed for want of memory.
///
/// A value that the kernel does not give is nil, never 0. Sizes are in bytes unless the
/// name says pages, which are the kernel's.
public struct OOMVictim: Hashable, Sendable {
    public var time: WallTime
    /// Number of the OOM: all processes killed in one have the same.
    public var killID: UInt64
    /// The process whose allocation failed.
    public var triggerPID: UInt32
    public var triggerTID: UInt32
    public var triggerComm: String
    public var victimPID: UInt32
    public var victimTID: UInt32
    public var victimComm: String
    public var victimUID: UInt32
    public var oomScoreAdj: Int32
    /// The arguments, joined by spaces.
    public var cmdline: String?
    /// Was SIGKILL sent? false: it was exiting already and only got the reserves.
    public var signalSent: Bool?
    /// Killed because it shares the chosen victim's memory.
    public var sharesMemory: Bool
    /// The victim's memory cgroup.
    public var cgroup: CgroupPath?
    /// The OOM's context; nil where no rung of the `context` ladder sees it.
    public var context: Context?
    /// The victim's memory; nil where its address space was gone already.
    public var memory: Memory?
    /// The trigger's kernel stack, innermost first; nil where it was not asked for.
    public var kernelStack: [UInt64]?

    /// The kernel's struct oom_control.
    public struct Context: Hashable, Sendable {
        public var constraint: OOMConstraint?
        public var gfp: GFPFlags
        public var order: Int32
        /// RAM and swap that the OOM's domain (the machine, a cgroup, some nodes) may use, not what the victim used.
        public var totalPages: UInt64
        /// The memory cgroup that ran out, nil when the machine did.
        public var domain: CgroupPath?
        public var limitBytes: UInt64?
        public var usageBytes: UInt64?

        public init(
            constraint: OOMConstraint?, gfp: GFPFlags, order: Int32, totalPages: UInt64,
            domain: CgroupPath? = nil, limitBytes: UInt64? = nil, usageBytes: UInt64? = nil
        ) {
            self.constraint = constraint
            self.gfp = gfp
            self.order = order
            self.totalPages = totalPages
            self.domain = domain
            self.limitBytes = limitBytes
            self.usageBytes = usageBytes
        }
    }

    /// The victim's address space at the kill.
    public struct Memory: Hashable, Sendable {
        public var totalVM: UInt64
        public var anonRSS: UInt64
        public var fileRSS: UInt64
        public var shmemRSS: UInt64
        public var swap: UInt64
        public var pageTables: UInt64
    }

    /// NUL-separated arguments joined by spaces; nil for none.
    public static func arguments(_ bytes: [UInt8]) -> String? {
        let parts = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }
}
