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
        for line in text.split(separator: "\n") {
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
