// SPDX-License-Identifier: Apache-2.0

/// A victim's memory has been freed.
public struct OOMEnd: Hashable, Sendable {
    public var time: WallTime
    public var killID: UInt64
    public var victimPID: UInt32
    /// Freed by the kernel's OOM reaper; false: by the process's own exit.
    public var reaped: Bool
    public var sinceKillNanoseconds: UInt64
    /// Resident bytes at the kill, less those still held.
    public var freedBytes: UInt64
}
