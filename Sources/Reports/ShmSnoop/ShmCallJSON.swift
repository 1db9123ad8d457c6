// SPDX-License-Identifier: Apache-2.0

/// shmsnoop's JSON; Docs/tools/shmsnoop.md has the schema.
public enum ShmCallJSON {
    public static func line(_ call: ShmCall, time: WallTime) -> JSONLine {
        var line = JSONLine(type: "shmsnoop")
        line.add("time", time.rfc3339)
        line.add("pid", call.pid)
        line.add("tid", call.tid)
        line.add("comm", call.comm)
        line.add("call", call.kind.name)
        let address = call.error == nil && call.kind.givesAddress ? UInt64(bitPattern: call.result) : nil
        line.add("ret", call.error != nil ? -1 : address == nil ? call.result : nil)
        line.add("ret_address", hex: address)
        line.add("errno", call.errorName)
        let field = Fields(call)
        line.add("key", field.key)
        line.add("shmid", field.shmid)
        line.add("size_bytes", argument: field.size)
        line.add("address", hex: field.address)
        line.add("flags", field.flags)
        line.add("cmd", field.command)
        line.add("duration_ns", call.durationNanoseconds)
        line.add("compat", call.compat)
        if let name = call.name { line.add("name", name) }
        if let name = call.newName { line.add("new_name", name) }
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
            case .rename: flags = FlagNames.rename.names(of: call.word(0))
            }
        }
    }

    public static func summary(time: WallTime = .now, calls: UInt64, losses: Losses) -> JSONLine {
        var line = JSONLine(type: "shmsnoop_summary")
        line.add("time", time.rfc3339)
        line.add("calls", calls)
        line.add("losses", losses.json)
        return line
    }
}
