// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import LibBPF
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// `shmsnoop --list`: the segments of every IPC namespace, and who has them. Traces nothing.
struct ShmSegmentList {
    let json: Bool
    let orphansOnly: Bool

    func run() throws {
        let processes = ProcFS.processIDs()
        let namespaces = Self.namespaces(processes)
        let attached = Self.attached(processes)
        let bootTime = ProcFS.bootTime()
        var output = Output()
        if !json { output.print(ShmSegmentText.header) }
        for (namespace, text) in try Self.lists(namespaces) {
            for segment in ShmSegment.parse(text) {
                let users = attached[Place(namespace: namespace, shmid: segment.shmid)] ?? []
                let alive = Self.isAlive(segment, bootTime: bootTime)
                let row = ShmSegmentRow(
                    segment: segment, namespace: namespace,
                    creatorComm: alive ? ProcessFiles(segment.creatorPID).comm : nil, creatorIsAlive: alive,
                    attached: users.map { .init(pid: $0, comm: ProcessFiles($0).comm) })
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

    /// Every IPC namespace that has a process, with one of them; our own first.
    private static func namespaces(_ processes: [UInt32]) -> [(UInt64?, UInt32?)] {
        let own = ProcessFiles.own.namespace("ipc")
        var seen: Set<UInt64> = own.map { [$0] } ?? []
        var result: [(UInt64?, UInt32?)] = [(own, nil)]
        for pid in processes {
            guard let inode = ProcessFiles(pid).namespace("ipc"), seen.insert(inode).inserted else { continue }
            result.append((inode, pid))
        }
        return result
    }

    /// Every namespace's segments, as text. The file shows the namespace of whoever opens it: this process goes
    /// to each and comes back.
    private static func lists(_ namespaces: [(UInt64?, UInt32?)]) throws -> [(UInt64?, String)] {
        var result: [(UInt64?, String)] = []
        for (namespace, pid) in namespaces {
            guard let pid else {
                result.append((namespace, try list()))
                continue
            }
            let home = try OpenFile(reading: ProcessFiles.own.path("ns/ipc"))
            do throws(FileError) {
                let there = try OpenFile(reading: ProcessFiles(pid).path("ns/ipc"))
                let code = clinux_enter_ipc_namespace(there.descriptor)
                guard code == 0 else {
                    note("shmsnoop: can't look into the IPC namespace of process \(pid): \(errorText(-code))")
                    continue
                }
            } catch {
                continue  // it ended meanwhile
            }
            result.append((namespace, try list()))
            let code = clinux_enter_ipc_namespace(home.descriptor)
            guard code == 0 else { throw Failure.system("setns", -code) }
        }
        return result
    }

    private static func list() throws(Failure) -> String {
        if let text = readText("/proc/sysvipc/shm") { return text }
        throw Failure(
            status: Failure.Status.unavailable,
            message: "/proc/sysvipc/shm can't be read: this kernel has no System V shared memory")
    }

    private static func attached(_ processes: [UInt32]) -> [Place: [UInt32]] {
        var result: [Place: [UInt32]] = [:]
        for pid in processes.sorted() {
            let process = ProcessFiles(pid)
            guard let maps = process.maps, maps.contains("/SYSV") else { continue }
            let namespace = process.namespace("ipc")
            for id in ShmSegment.attached(maps: maps) {
                result[Place(namespace: namespace, shmid: id), default: []].append(pid)
            }
        }
        return result
    }

    /// Is a segment's creator still there? A process that began after the segment's last
    /// change only has its id.
    private static func isAlive(_ segment: ShmSegment, bootTime: Int64?) -> Bool {
        guard segment.creatorPID != 0, let stat = ProcessFiles(segment.creatorPID).stat else { return false }
        guard let bootTime else { return true }
        // both clocks count whole seconds here
        return bootTime + Int64(stat.startTicks / UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))) <= segment.changed + 1
    }
}
