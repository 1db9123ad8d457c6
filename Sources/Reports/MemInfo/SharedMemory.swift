// SPDX-License-Identifier: Apache-2.0

/// What holds the memory that the kernel counts as Shmem, as far as it is known.
public struct SharedMemory: Hashable, Sendable {
    /// A mounted tmpfs.
    public struct Mount: Hashable, Sendable {
        public var path: String
        public var bytes: UInt64
        /// A /dev/shm: its files are POSIX shared memory.
        public var isPosix: Bool

        public init(path: String, bytes: UInt64, isPosix: Bool) {
            (self.path, self.bytes, self.isPosix) = (path, bytes, isPosix)
        }
    }

    /// A file of shared memory: one without a name that processes hold, or one on a tmpfs.
    public struct Object: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            case memfd
            case anonymous = "shared_anonymous"
            case deleted = "shmem_deleted"
            case gpu = "gpu_objects"
            /// With a name, on a tmpfs and on a /dev/shm: their mount's sum has them.
            case tmpfs
            case posix = "posix_shm"

            /// The part of the ledger that has it.
            public var part: MemoryPart {
                switch self {
                case .memfd: .memfd
                case .anonymous: .sharedAnonymous
                case .deleted: .shmemDeleted
                case .gpu: .gpuObjects
                case .tmpfs: .tmpfs
                case .posix: .posixShm
                }
            }
        }

        public var kind: Kind
        /// Its path, or its name as the kernel has it.
        public var name: String
        public var bytes: UInt64
        /// Processes that map it or have it open, of those that were looked at.
        public var holders: Int
        /// The first of them; nil: there is none.
        public var pid: UInt32?

        public init(kind: Kind, name: String, bytes: UInt64, holders: Int, pid: UInt32?) {
            (self.kind, self.name, self.bytes, self.holders, self.pid) = (kind, name, bytes, holders, pid)
        }

        /// Who holds it, in words: `process 7`, `16 processes`.
        public var heldBy: String {
            if holders > 1 { return "\(holders) processes" }
            return pid.map { "process \($0)" } ?? "nobody"
        }
    }

    public var mounts: [Mount]
    /// Resident pages of System V segments, in bytes; nil where the kernel has none or does not tell.
    public var systemVBytes: UInt64?
    public var objects: [Object]
    /// Processes that may not be looked at.
    public var unseenProcesses: Int
    /// Processes with memory of their own that were looked at.
    public var seenProcesses = 0
    /// Processes that there was no time for.
    public var skippedProcesses = 0

    public init(
        mounts: [Mount] = [], systemVBytes: UInt64? = nil, objects: [Object] = [], unseenProcesses: Int = 0
    ) {
        (self.mounts, self.systemVBytes, self.objects) = (mounts, systemVBytes, objects)
        self.unseenProcesses = unseenProcesses
    }

    /// What a name says of a file of the kernel's own tmpfs, which no path leads to (mm/shmem.c, `shm_mnt`); nil for a
    /// segment of System V, which is counted by its list.
    ///
    /// - Parameter path: as /proc/PID/maps or a link in /proc/PID/fd has it.
    public static func kind(ofHidden path: String) -> Object.Kind? {
        if path.hasPrefix("/SYSV") { return nil }
        if path.hasPrefix("/memfd:") { return .memfd }
        // MAP_SHARED of nothing; its file bears the name of the device that once gave it
        if path.hasPrefix("/dev/zero") { return .anonymous }
        // objects of graphics drivers: `i915`, `drm mm object`
        return .gpu
    }

    func sum(_ kind: Object.Kind) -> UInt64 {
        objects.reduce(0) { $1.kind == kind ? $0.addingCapped($1.bytes) : $0 }
    }

    func sum(posix: Bool) -> UInt64 {
        mounts.reduce(0) { $1.isPosix == posix ? $0.addingCapped($1.bytes) : $0 }
    }
}

extension UInt64 {
    /// The sum, or the largest number where there is none.
    func addingCapped(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
