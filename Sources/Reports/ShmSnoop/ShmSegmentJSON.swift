// SPDX-License-Identifier: Apache-2.0

/// The list of segments as JSON; Docs/tools/shmsnoop.md has the schema.
public enum ShmSegmentJSON {
    public static func line(_ row: ShmSegmentRow) -> JSONLine {
        let segment = row.segment
        var line = JSONLine(type: "shm_segment")
        line.add("key", segment.key)
        line.add("shmid", segment.shmid)
        line.add("uid", segment.uid)
        line.add("creator_uid", segment.creatorUID)
        line.add("mode", "0" + String(segment.mode & 0o777, radix: 8))
        line.add("removed", segment.isDestroyed)
        line.add("locked", segment.isLocked)
        line.add("size_bytes", segment.sizeBytes)
        line.add("rss_bytes", segment.rssBytes)
        line.add("swap_bytes", segment.swapBytes)
        line.add("attach_count", segment.attachCount)
        line.add("ipc_namespace", row.namespace)
        line.add("creator_pid", segment.creatorPID == 0 ? nil : segment.creatorPID)
        line.add("creator_comm", row.creatorComm)
        line.add("creator_alive", row.creatorIsAlive)
        line.add("last_pid", segment.lastPID == 0 ? nil : segment.lastPID)
        line.add("orphan", row.isOrphan)
        line.add(
            "attached",
            row.attached.map { process in
                var entry = JSONLine()
                entry.add("pid", process.pid)
                entry.add("comm", process.comm)
                return entry
            })
        return line
    }
}
