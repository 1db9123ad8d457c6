// SPDX-License-Identifier: Apache-2.0

/// What /proc/PID/stat tells (proc_pid_stat(5)), as far as it is used here.
public struct ProcessStat: Hashable, Sendable {
    /// The process's name for itself: any bytes, parentheses, spaces and newlines too.
    public let comm: [UInt8]
    /// `R`, `S`, `Z` for a zombie, `X` for one that is gone…
    public let state: Unicode.Scalar
    public let threadCount: UInt64
    /// Has it no program of its own (PF_KTHREAD, include/linux/sched.h)?
    public let isKernelThread: Bool
    /// In clock ticks since boot: together with the id, it tells a process from its successor.
    public let startTicks: UInt64

    /// From the file's bytes; nil where they are not such a line, or not all of it.
    public init?(_ line: [UInt8]) {
        // Behind the name's last parenthesis there are only numbers, but for the state.
        guard let open = line.firstIndex(of: UInt8(ascii: "(")), let close = line.lastIndex(of: UInt8(ascii: ")")),
            open < close
        else { return nil }
        // The first of these is field 3 of the manual's.
        let fields = line[(close + 1)...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        guard fields.count > 19, fields[0].count == 1, let state = fields[0].first,
            let flags = Self.number(fields[6]), let threadCount = Self.number(fields[17]),
            let startTicks = Self.number(fields[19])
        else { return nil }
        comm = Array(line[(open + 1)..<close])
        self.state = Unicode.Scalar(state)
        self.threadCount = threadCount
        isKernelThread = flags & 0x0020_0000 != 0
        self.startTicks = startTicks
    }

    private static func number(_ field: ArraySlice<UInt8>) -> UInt64? { UInt64(String(decoding: field, as: UTF8.self)) }

    /// Does any thread of it run still? The main thread stays as a zombie while others run.
    public var isAlive: Bool { state != "X" && (state != "Z" || threadCount != 1) }
}
