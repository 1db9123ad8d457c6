// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer

/// What processes are called, those too that have ended since they were asked for.
final class ProcessNames {
    private var last: [UInt32: String] = [:]

    /// Its name now, or its last; nil: never known.
    func name(_ pid: UInt32) -> String? {
        // an ended one that nobody has waited for has a name too; one that is gone has none
        if let now = ProcessFiles(pid).comm { last[pid] = now }
        return last[pid]
    }

    /// It is gone and reported: its number may be given to another.
    func ended(_ pid: UInt32) { last[pid] = nil }
}
