// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// Evicted pages: whose, by whom, and why. kernfs ids of memory cgroups, 0 where there is none.
public struct MemStallEvictionKey: Hashable, Sendable {
    /// The reclaiming task's.
    public let evictor: UInt64
    public let owner: UInt64
    public let limit: UInt64
    public let cause: MemStallCause

    package init(_ key: memstall_eviction_key) {
        (evictor, owner, limit) = (key.evictor, key.owner, key.limit)
        cause = MemStallCause(rawValue: key.cause) ?? .other
    }
}
