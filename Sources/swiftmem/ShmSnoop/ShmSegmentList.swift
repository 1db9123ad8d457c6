// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import LibBPF
internal import Reports

/// `shmsnoop --list`: the segments of every IPC namespace, and who has them. Traces nothing.
struct ShmSegmentList {
    let json: Bool
    let orphansOnly: Bool

    func run() throws(Failure) {
        let processes = processIDs()
        let namespaces = Self.namespaces(processes)
        let attached = Self.attached(processes)
        var output = Output()
        if !json { output.print(ShmSegmentText.header) }
        for (namespace, text) in try Self.lists(namespaces) {
            for segment in ShmSegment.parse(text) {
                let users = attached[Place(namespace: namespace, shmid: segment.shmid)] ?? []
                let alive = Self.isAlive(segment)
                let row = ShmSegmentRow(
                    segment: segment, namespace: namespace,
                    creatorComm: alive ? Self.comm(segment.creatorPID) : nil, creatorIsAlive: alive,
                    attached: users.map { .init(pid: $0, comm: Self.comm($0)) })
                guard !orphansOnly || row.isOrphan else { continue }
                if json { output.print(ShmSegmentJSON.line(row)) } else { output.print(ShmSegmentText.line(row)) }
            }
        }
        _ = try output.flush()
    }

    private struct Place: Hashable {
        let namespace: UInt64?
        let shmid: Int32
    }

    private static func namespace(_ process: String) -> UInt64? {
        var status = stat()
        return stat("/proc/\(process)/ns/ipc", &status) == 0 ? UInt64(status.st_ino) : nil
    }

    /// Every IPC namespace that has a process, with one of them; our own first.
    private static func namespaces(_ processes: [UInt32]) -> [(UInt64?, UInt32?)] {
        let own = namespace("self")
        var seen: Set<UInt64> = own.map { [$0] } ?? []
        var result: [(UInt64?, UInt32?)] = [(own, nil)]
        for pid in processes {
            guard let inode = namespace(String(pid)), seen.insert(inode).inserted else { continue }
            result.append((inode, pid))
        }
        return result
    }

    /// The file shows the namespace of whoever opens it: this process goes there and back.
    private static func lists(_ namespaces: [(UInt64?, UInt32?)]) throws(Failure) -> [(UInt64?, String)] {
        let home = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC)
        defer { if home >= 0 { close(home) } }
        var result: [(UInt64?, String)] = []
        for (namespace, pid) in namespaces {
            if let pid {
                let descriptor = open("/proc/\(pid)/ns/ipc", O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { continue }  // it ended meanwhile
                defer { close(descriptor) }
                let code = home >= 0 ? clinux_enter_ipc_namespace(descriptor) : -EBADF
                guard code == 0 else {
                    note("shmsnoop: can't look into the IPC namespace of process \(pid): \(errorText(-code))")
                    continue
                }
            }
            guard let text = readText("/proc/sysvipc/shm") else {
                throw Failure(
                    status: Failure.Status.unavailable,
                    message: "/proc/sysvipc/shm can't be read: this kernel has no System V shared memory")
            }
            result.append((namespace, text))
            if pid != nil {
                let code = clinux_enter_ipc_namespace(home)
                guard code == 0 else { throw .system("setns", -code) }
            }
        }
        return result
    }

    private static func attached(_ processes: [UInt32]) -> [Place: [UInt32]] {
        var result: [Place: [UInt32]] = [:]
        for pid in processes.sorted() {
            guard let maps = readText("/proc/\(pid)/maps"), maps.contains("/SYSV") else { continue }
            let namespace = namespace(String(pid))
            for id in ShmSegment.attached(maps: maps) {
                result[Place(namespace: namespace, shmid: id), default: []].append(pid)
            }
        }
        return result
    }

    private static func comm(_ pid: UInt32) -> String? {
        readText("/proc/\(pid)/comm").map { $0.last == "\n" ? String($0.dropLast()) : $0 }
    }

    /// Is a segment's creator still there? A process that began after the segment's last
    /// change only has its id.
    private static func isAlive(_ segment: ShmSegment) -> Bool {
        guard segment.creatorPID != 0, let text = readText("/proc/\(segment.creatorPID)/stat") else { return false }
        // the name in parentheses may hold anything; behind it begins field 3
        guard let end = text.lastIndex(of: ")") else { return true }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let ticks = UInt64(fields[19]) else { return true }
        guard let boot = readText("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let booted = Int64(boot.dropFirst(6))
        else { return true }
        // both clocks count whole seconds here
        return booted + Int64(ticks / UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))) <= segment.changed + 1
    }
}
