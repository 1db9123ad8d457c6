// SPDX-License-Identifier: Apache-2.0

/// One call of an allocator, for `-t`.
public struct MemLeakCall: Hashable, Sendable {
    public enum Kind: String, Sendable {
        case allocation = "alloc"
        case free
    }

    public let kind: Kind
    /// CLOCK_MONOTONIC nanoseconds.
    public let time: UInt64
    public let pid: UInt32
    public let tid: UInt32
    public let comm: String
    /// The block that was allocated, or is freed.
    public let address: UInt64
    /// Asked for, or in the range that is unmapped; 0 where a free doesn't say.
    public let bytes: UInt64
    /// Is it an allocation in the reports, or the free of one?
    public let isRecorded: Bool

    /// bcc's words behind who called.
    public var text: String {
        let address = String(address, radix: 16)
        let what =
            switch kind {
            case .free: "free entered, address = \(address), size = \(bytes)"
            case .allocation: "alloc exited, size = \(bytes), result = \(address)"
            }
        return "\(WallTime(monotonic: time).clockTime) "
            + "\(Printable.text(comm).left(16)) \(String(tid).left(7)) \(what)"
    }

    public var json: JSONLine { json(at: WallTime(monotonic: time)) }

    /// - Parameter time: when it returned.
    func json(at time: WallTime) -> JSONLine {
        var line = JSONLine(type: "memleak_call")
        line.add("time", time.rfc3339)
        line.add("call", kind.rawValue)
        line.add("pid", pid)
        line.add("tid", tid)
        line.add("comm", comm)
        line.add("address", hex: address)
        line.add("bytes", argument: bytes)
        line.add("recorded", isRecorded)
        return line
    }
}
