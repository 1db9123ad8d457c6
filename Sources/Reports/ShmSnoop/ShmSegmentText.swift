// SPDX-License-Identifier: Apache-2.0

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
