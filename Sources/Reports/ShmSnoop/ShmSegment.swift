// SPDX-License-Identifier: Apache-2.0

/// A System V segment, as /proc/sysvipc/shm tells of it (ipc/shm.c, `sysvipc_shm_proc_show`).
public struct ShmSegment: Hashable, Sendable {
    public var key: Int32
    public var shmid: Int32
    /// Permissions, and SHM_DEST and SHM_LOCKED.
    public var mode: UInt32
    public var sizeBytes: UInt64
    /// 0 where it is of a process that this PID namespace does not see.
    public var creatorPID: UInt32
    public var lastPID: UInt32
    public var attachCount: UInt64
    public var uid: UInt32
    public var creatorUID: UInt32
    /// Seconds since 1970 of its creation or last change.
    public var changed: Int64
    public var rssBytes: UInt64?
    public var swapBytes: UInt64?

    /// Removed already, but still attached.
    public var isDestroyed: Bool { mode & 0o1000 != 0 }
    public var isLocked: Bool { mode & 0o2000 != 0 }

    /// Reads the file's text, by its heading; a line that is none of a segment is left out.
    public static func parse(_ text: String) -> [ShmSegment] {
        let lines = text.split(separator: "\n")
        guard let heading = lines.first?.split(separator: " ") else { return [] }
        var columns: [Substring: Int] = [:]
        for (index, name) in heading.enumerated() where columns[name] == nil { columns[name] = index }
        return lines.dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            func field(_ name: Substring) -> Substring? {
                columns[name].flatMap { fields.indices.contains($0) ? fields[$0] : nil }
            }
            func number<T: FixedWidthInteger>(_ name: Substring, radix: Int = 10) -> T? {
                field(name).flatMap { T($0, radix: radix) }
            }
            guard let key: Int32 = number("key"), let shmid: Int32 = number("shmid"),
                let mode: UInt32 = number("perms", radix: 8), let size: UInt64 = number("size"),
                let creator: UInt32 = number("cpid"), let last: UInt32 = number("lpid"),
                let attached: UInt64 = number("nattch"), let uid: UInt32 = number("uid"),
                let creatorUID: UInt32 = number("cuid"), let changed: Int64 = number("ctime")
            else { return nil }
            return ShmSegment(
                key: key, shmid: shmid, mode: mode, sizeBytes: size, creatorPID: creator, lastPID: last,
                attachCount: attached, uid: uid, creatorUID: creatorUID, changed: changed,
                rssBytes: number("rss"), swapBytes: number("swap"))
        }
    }

    /// The ids of the segments that a process has attached, by the text of its /proc/PID/maps:
    /// their file's name begins with SYSV and its inode is the id.
    public static func attached(maps text: String) -> Set<Int32> {
        var ids: Set<Int32> = []
        for line in text.split(separator: "\n") where line.utf8.count > 40 {
            // address, permissions, offset, device, inode, path
            let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            guard fields.count == 6, fields[1].last == "s", let inode = Int32(fields[4]),
                fields[5].drop(while: { $0 == " " }).hasPrefix("/SYSV")
            else { continue }
            ids.insert(inode)
        }
        return ids
    }
}

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

/// The list of segments as text.
public enum ShmSegmentText {
    public static let header =
        "KEY".left(10) + " " + "SHMID".right(8) + " " + "UID".right(6) + " " + "PERMS".right(5) + " "
        + "SIZE_KB".right(10) + " " + "RSS_KB".right(10) + " " + "SWAP_KB".right(9) + " " + "NATTCH".right(6)
        + " " + "IPC_NS".left(10) + " " + "CREATOR".left(24) + " ATTACHED"

    public static func line(_ row: ShmSegmentRow) -> String {
        let segment = row.segment
        func kilobytes(_ bytes: UInt64?) -> String { bytes.map { String(($0 &+ 1023) / 1024) } ?? "-" }
        let key = String(UInt32(bitPattern: segment.key), radix: 16)
        let mode = String(segment.mode & 0o777, radix: 8)
        let creator: String =
            segment.creatorPID == 0
            ? "-"
            : "\(segment.creatorPID) " + (row.creatorIsAlive ? "(\(Printable.text(row.creatorComm ?? "?")))" : "gone")
        let attached = row.attached.map { process in
            "\(process.pid)" + (process.comm.map { " (\(Printable.text($0)))" } ?? "")
        }
        let state = (segment.isDestroyed ? " removed" : "") + (segment.isLocked ? " locked" : "")
        var line = TableLine()
        line.left("0x" + String(repeating: "0", count: 8 - key.count) + key, 10)
        line.right(String(segment.shmid), 8)
        line.right(String(segment.uid), 6)
        line.right(mode, 5)
        line.right(kilobytes(segment.sizeBytes), 10)
        line.right(kilobytes(segment.rssBytes), 10)
        line.right(kilobytes(segment.swapBytes), 9)
        line.right(String(segment.attachCount), 6)
        line.left(row.namespace.map(String.init) ?? "-", 10)
        line.left(creator, 24)
        line.add((attached.isEmpty ? "-" : attached.joined(separator: ", ")) + state)
        return line.text
    }
}

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
