// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// A stall that goes on at a moment: what it has come to.
package struct MemStallPiece: Hashable, Sendable {
    package let key: MemStallKey
    package let comm: String
    /// Nanoseconds, without other causes inside of it.
    package let own: UInt64
    package let off: UInt64
    package let reclaimedPages: UInt64
    package let isPSI: Bool

    /// What a task is in.
    ///
    /// - Parameter now: CLOCK_MONOTONIC.
    /// - Returns: none of a task that was filtered out, or that is about to sleep and may not.
    package static func pieces(_ task: memstall_task, at now: UInt64) -> [MemStallPiece] {
        guard task.wanted != 0 else { return [] }
        let pieces = withUnsafeBytes(of: task.pieces) { Array($0.bindMemory(to: memstall_piece.self)) }
        let depth = min(Int(task.depth), pieces.count)
        return pieces.prefix(depth).enumerated().compactMap { level, piece in
            let isInnermost = level == depth - 1
            if piece.kind == MEMSTALL_BY_DIRTY.rawValue && task.off_since_ns == 0 { return nil }
            let running = isInnermost && now > task.since_ns ? now - task.since_ns : 0
            let sleeping =
                isInnermost && task.off_since_ns != 0 && now > task.off_since_ns ? now - task.off_since_ns : 0
            let key = memstall_key(
                start_ns: task.start_ns, cgroup: task.cgroup, limit_cgroup: piece.limit_cgroup,
                kernel_stack: piece.kernel_stack, user_stack: piece.user_stack, pid: task.pid, tid: task.tid,
                cause: piece.cause, padding: 0)
            return MemStallPiece(
                key: MemStallKey(key), comm: fixedText(task.comm), own: piece.own_ns &+ running,
                off: piece.off_ns &+ sleeping, reclaimedPages: piece.reclaimed_pages, isPSI: piece.psi != 0)
        }
    }
}
