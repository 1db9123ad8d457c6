// SPDX-License-Identifier: Apache-2.0

/// A segment with what its processes tell.
public struct ShmSegmentRow: Hashable, Sendable {
    public struct Process: Hashable, Sendable {
        public var pid: UInt32
        public var comm: String?

        public init(pid: UInt32, comm: String?) { (self.pid, self.comm) = (pid, comm) }
    }

    public var segment: ShmSegment
    /// Inode number of its IPC namespace.
    public var namespace: UInt64?
    /// nil: it is gone, or in a PID namespace out of sight.
    public var creatorComm: String?
    public var creatorIsAlive: Bool
    /// Processes with it in their address space, by pid.
    public var attached: [Process]

    public init(
        segment: ShmSegment, namespace: UInt64?, creatorComm: String?, creatorIsAlive: Bool,
        attached: [Process]
    ) {
        self.segment = segment
        self.namespace = namespace
        self.creatorComm = creatorComm
        self.creatorIsAlive = creatorIsAlive
        self.attached = attached
    }

    /// Nobody uses it, and whoever made it can't remove it any more.
    public var isOrphan: Bool { segment.attachCount == 0 && !creatorIsAlive }
}
