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
        case .munmap: return "addr: \(hex(call.arguments[0])), length: \(call.arguments[1])"
        }
    }
}

/// shmsnoop's JSON; Docs/tools/shmsnoop.md has the schema.
public enum ShmCallJSON {
    public static func line(_ call: ShmCall, time: WallTime) -> JSONLine {
        var line = JSONLine(type: "shmsnoop")
        line.add("time", time.rfc3339)
        line.add("pid", call.pid)
        line.add("tid", call.tid)
        line.add("comm", call.comm)
        line.add("call", call.kind.name)
        line.add("ret", call.error == nil ? call.result : -1)
        line.add("errno", call.errorName)
        let field = Fields(call)
        line.add("key", field.key)
        line.add("shmid", field.shmid)
        line.add("size_bytes", field.size)
        line.add("address", field.address)
        line.add("flags", field.flags)
        line.add("cmd", field.command)
        line.add("duration_ns", call.durationNanoseconds)
        line.add("compat", call.compat)
        if let name = call.name { line.add("name", name) }
        if let descriptor = field.descriptor { line.add("fd", descriptor) }
        if let protection = field.protection { line.add("protection", protection) }
        return line
    }

    /// The schema's keys that a call has.
    private struct Fields {
        var key: Int32?
        var shmid: Int32?
        var size: UInt64?
        var address: UInt64?
        var flags: [String]?
        var command: String?
        var descriptor: Int32?
        var protection: [String]?

        init(_ call: ShmCall) {
            let a = call.arguments
            switch call.kind {
            case .shmget:
                (key, size) = (call.int(0), a[1])
                flags = FlagNames.shmget.names(of: call.word(2))
            case .shmat:
                (shmid, address) = (call.int(0), a[1])
                flags = FlagNames.shmat.names(of: call.word(2))
            case .shmdt: address = a[0]
            case .shmctl:
                (shmid, address) = (call.int(0), a[2])
                command = FlagNames.shmctlCommand(call.word(1)) ?? String(call.word(1))
            case .open: flags = FlagNames.open.names(of: call.word(0))
            case .unlink: break
            case .memfd: flags = FlagNames.memfd.names(of: call.word(0))
            case .secret: flags = FlagNames.secret.names(of: call.word(0))
            case .truncate: (descriptor, size) = (call.int(0), a[1])
            case .fcntl:
                descriptor = call.int(0)
                command = FlagNames.fcntlCommand(call.word(1))
                flags = call.word(1) == 1033 ? FlagNames.seals.names(of: call.word(2)) : nil
            case .mmap:
                (address, size, descriptor) = (a[0], a[1], call.int(4))
                flags = FlagNames.mmap.names(of: call.word(3))
                protection = FlagNames.protection.names(of: call.word(2))
            case .munmap: (address, size) = (a[0], a[1])
            }
        }
    }

    public static func summary(calls: UInt64, losses: Losses) -> JSONLine {
        var line = JSONLine(type: "shmsnoop_summary")
        line.add("time", WallTime.now.rfc3339)
        line.add("calls", calls)
        line.add("losses", losses.json)
        return line
    }
}
