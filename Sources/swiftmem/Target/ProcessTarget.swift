// SPDX-License-Identifier: Apache-2.0
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// The processes that are traced.
enum ProcessTarget {
    case processes([UInt32])
    /// A command, which is run, and its arguments.
    case command([String])
    case cgroup(CgroupTarget)

    /// - Parameters:
    ///   - words: the command and its arguments.
    ///   - lacking: what a kernel thread has none of.
    /// - Throws: `Failure` where options contradict each other, or name what is not there.
    init(_ options: TargetOptions, _ words: [String], lacking: String) throws(Failure) {
        let kinds = [!options.pid.isEmpty, !words.isEmpty, options.cgroup != nil]
        if options.command != nil && words.isEmpty { throw .usage("-c: which command?") }
        switch kinds.count(where: { $0 }) {
        case 0: throw .usage("which processes? -p, -c or --cgroup")
        case 1: break
        default: throw .usage("one of -p, -c and --cgroup at a time")
        }
        if options.exitStatus && words.isEmpty { throw .usage("--exit-status is of a command (-c)") }
        if let name = options.cgroup {
            self = .cgroup(try CgroupTarget(name))
        } else if !words.isEmpty {
            self = .command(words)
        } else {
            var pids: [UInt32] = []
            for pid in options.pid where !pids.contains(pid.value) {
                try Self.require(pid.value, lacking)
                pids.append(pid.value)
            }
            self = .processes(pids)
        }
    }

    /// - Throws: `Failure` where no process has this id, or none that has memory of its own.
    private static func require(_ pid: UInt32, _ lacking: String) throws(Failure) {
        guard let status = ProcessFiles(pid).status else { throw .badValue("no process has the id \(pid)") }
        if let owner = status.words("Tgid")?.first.flatMap({ UInt32($0) }), owner != pid {
            throw .badValue("\(pid) is a thread of process \(owner): use -p \(owner)")
        }
        if status.words("State")?.first == "Z" { throw .badValue("process \(pid) has ended (it is a zombie)") }
        if status.words("VmSize") == nil { throw .badValue("\(pid) is a kernel thread: it has no \(lacking)") }
    }

    var isCommand: Bool {
        if case .command = self { true } else { false }
    }

    var cgroup: CgroupTarget? {
        if case .cgroup(let cgroup) = self { cgroup } else { nil }
    }

    /// Can there be more than one process?
    ///
    /// - Parameter follow: what they fork is traced too.
    func hasSeveralProcesses(follow: Bool) -> Bool {
        switch self {
        case .processes(let pids): pids.count > 1 || follow
        case .command: follow
        case .cgroup: true
        }
    }

    /// For the head of the report.
    var text: String {
        switch self {
        case .processes(let pids): pids.map { "pid \($0)" }.joined(separator: ", ")
        case .command(let words): Printable.text(words.joined(separator: " "))
        case .cgroup(let cgroup): "cgroup \(Printable.text(cgroup.directory))"
        }
    }
}

extension CgroupTarget {
    /// The processes in it and below, now.
    func processes() -> [UInt32] { Self.processes(below: FilePath(directory), depth: 0) }

    private static func processes(below directory: FilePath, depth: Int) -> [UInt32] {
        var pids = (readText(directory.appending("cgroup.procs")) ?? "").split(separator: "\n").compactMap {
            UInt32($0)
        }
        guard depth < 32, var entries = Directory(directory) else { return pids }
        while let entry = entries.next() {
            guard entry.isDirectory else { continue }
            pids += processes(below: directory.appending(entry.name), depth: depth + 1)
        }
        return pids
    }
}
