// SPDX-License-Identifier: Apache-2.0

/// A process to which another one sent SIGTERM or SIGKILL.
///
/// A value that the kernel does not give is nil, never 0.
public struct SentKill: Hashable, Sendable {
    /// By its number.
    public enum Signal: UInt32, Sendable {
        case kill = 9
        case terminate = 15

        /// As kill(1) names it.
        public var name: String { self == .kill ? "SIGKILL" : "SIGTERM" }
    }

    /// Who sent the signal.
    public struct Sender: Hashable, Sendable {
        public var pid: UInt32
        public var comm: String
        public var uid: UInt32
        /// Its memory cgroup.
        public var cgroup: CgroupPath?
    }

    /// What the victim held, in bytes.
    public struct Memory: Hashable, Sendable {
        public var anonRSS: UInt64
        public var fileRSS: UInt64
        public var shmemRSS: UInt64
        public var swap: UInt64

        public init(anonRSS: UInt64, fileRSS: UInt64, shmemRSS: UInt64, swap: UInt64) {
            (self.anonRSS, self.fileRSS, self.shmemRSS, self.swap) = (anonRSS, fileRSS, shmemRSS, swap)
        }
    }

    public var time: WallTime
    public var signal: Signal
    public var sender: Sender
    public var victimPID: UInt32
    public var victimComm: String
    public var victimUID: UInt32
    /// The victim's arguments, joined by spaces.
    public var cmdline: String?
    public var oomScoreAdj: Int32
    /// The victim's memory cgroup.
    public var cgroup: CgroupPath?
    /// The victim's memory; nil where its address space was gone already.
    public var memory: Memory?
}
