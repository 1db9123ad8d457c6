// SPDX-License-Identifier: Apache-2.0

/// shmsnoop's text: bcc's columns, errors by name.
public struct ShmCallText: Sendable {
    public var timestamps: Bool
    public var threads: Bool
    public var latency: Bool
    /// Other than System V's calls are shown: their names are longer.
    public var all: Bool
    private var first: UInt64?

    public init(timestamps: Bool = false, threads: Bool = false, latency: Bool = false, all: Bool = false) {
        (self.timestamps, self.threads, self.latency, self.all) = (timestamps, threads, latency, all)
    }

    private var callWidth: Int { all ? 12 : 6 }

    public var header: String {
        (timestamps ? "TIME(s)".left(14) : "") + (threads ? "TID" : "PID").left(6) + " " + "COMM".left(16)
            + " " + "SYS".right(callWidth) + " " + "RET".right(16) + " "
            + (latency ? "LAT(us)".right(9) + " " : "") + "ARGs"
    }

    /// A call's line; times count from the first call shown.
    public mutating func line(_ call: ShmCall) -> String {
        var line = ""
        if timestamps {
            let begin = first ?? call.time
            first = begin
            line += fixed(Double(Int64(bitPattern: call.time &- begin)) / 1e9, 9).left(14)
        }
        line += String(threads ? call.tid : call.pid).left(6) + " "
        line += Printable.text(call.comm).left(16) + " "
        line += call.kind.name.uppercased().right(callWidth) + " "
        line += (call.errorName ?? String(UInt64(bitPattern: call.result), radix: 16)).right(16) + " "
        if latency {
            let microseconds = call.durationNanoseconds.map { fixed(Double($0) / 1000, 1) }
            line += (microseconds ?? "-").right(9) + " "
        }
        return line + Self.arguments(of: call) + (call.compat ? " [32-bit]" : "")
    }

    static func arguments(of call: ShmCall) -> String {
        func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }
        func command(_ number: UInt32, _ name: String?) -> String { name.map { "\(number) (\($0))" } ?? "\(number)" }
        let name = call.name.map { ", name: " + Printable.text($0) } ?? ""
        switch call.kind {
        case .shmget:
            return
                "key: \(hex(call.word(0))), size: \(call.arguments[1]), shmflg: \(FlagNames.shmget.text(call.word(2)))"
        case .shmat:
            return
                "shmid: \(hex(call.word(0))), shmaddr: \(hex(call.arguments[1])), shmflg: \(FlagNames.shmat.text(call.word(2)))"
        case .shmdt: return "shmaddr: \(hex(call.arguments[0]))"
        case .shmctl:
            return
                "shmid: \(hex(call.word(0))), cmd: \(command(call.word(1), FlagNames.shmctlCommand(call.word(1)))), buf: \(hex(call.arguments[2]))"
        case .open:
            return
                "flags: \(FlagNames.open.text(call.word(0))), mode: 0\(String(call.word(1) & 0o7777, radix: 8))\(name)"
        case .unlink: return String(name.dropFirst(2))
        case .memfd: return "flags: \(FlagNames.memfd.text(call.word(0)))\(name)"
        case .secret: return "flags: \(FlagNames.secret.text(call.word(0)))"
        case .truncate: return "fd: \(call.int(0)), length: \(Int64(bitPattern: call.arguments[1]))\(name)"
        case .fcntl:
            let add = call.word(1) == 1033
            return "fd: \(call.int(0)), cmd: \(command(call.word(1), FlagNames.fcntlCommand(call.word(1))))"
                + (add ? ", seals: \(FlagNames.seals.text(call.word(2)))" : "") + name
        case .mmap:
            return
                "addr: \(hex(call.arguments[0])), length: \(call.arguments[1]), prot: \(FlagNames.protection.text(call.word(2))),"
                + " flags: \(FlagNames.mmap.text(call.word(3))), fd: \(call.int(4)), offset: \(call.arguments[5])\(name)"
        case .rename:
            let newName = call.newName.map { ", new name: " + Printable.text($0) } ?? ""
            return "flags: \(FlagNames.rename.text(call.word(0)))\(name)\(newName)"
        case .munmap: return "addr: \(hex(call.arguments[0])), length: \(call.arguments[1])"
        }
    }
}
