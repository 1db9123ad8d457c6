// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// The memory cgroups of processes and their ancestors: paths, usage, limits.
struct RecordedCgroups {
    private struct Known {
        let path: CgroupPath
        /// Directories from the cgroup's own to the root's.
        let above: [FilePath]
    }

    private let mount = CgroupTarget.memoryHierarchy()
    /// By kernfs id.
    private var known: [UInt64: Known] = [:]
    /// By directory; nil: it has none.
    private var limits: [FilePath: UInt64?] = [:]
    private var rounds = 0
    /// Limits are read again after so many samples.
    private static let limitRounds = 10
    private static let most = 4096

    /// - Returns: the cgroups of the processes and their ancestors with a limit; and, for each with a limit, the ids of the
    ///   cgroups below it.
    mutating func read(_ processes: [OOMProcess]) -> (cgroups: [OOMCgroup], limited: [Set<UInt64>]) {
        guard let mount else { return ([], []) }
        let ids = Set(processes.map(\.cgroupID)).subtracting([0])
        known = known.filter { ids.contains($0.key) }
        for process in processes where known[process.cgroupID] == nil && process.cgroupID != 0 {
            guard known.count < Self.most, let found = Self.find(process.pid, process.cgroupID, mount) else { continue }
            known[process.cgroupID] = found
        }
        let directories = Set(known.values.flatMap(\.above))
        limits = rounds % Self.limitRounds == 0 ? [:] : limits.filter { directories.contains($0.key) }
        // those of a new cgroup at once
        for directory in directories where limits[directory] == nil {
            limits.updateValue(Self.limit(directory, mount), forKey: directory)
        }
        rounds += 1

        var below: [FilePath: Set<UInt64>] = [:]
        for (id, cgroup) in known {
            for directory in cgroup.above where (limits[directory] ?? nil) != nil {
                below[directory, default: []].insert(id)
            }
        }
        var cgroups: [OOMCgroup] = []
        var listed: Set<FilePath> = []
        for case (let directory, let limit?) in limits where below[directory] != nil {
            guard let id = Self.inode(directory) else { continue }
            listed.insert(directory)
            cgroups.append(
                OOMCgroup(
                    id: id, path: Self.path(directory, mount), usageBytes: Self.usage(directory, mount),
                    limitBytes: limit))
        }
        for (id, cgroup) in known where cgroup.above.first.map({ !listed.contains($0) }) ?? false {
            cgroups.append(OOMCgroup(id: id, path: cgroup.path, usageBytes: nil, limitBytes: nil))
        }
        return (cgroups, Array(below.values))
    }

    /// By /proc/PID/cgroup; nil where the process has ended, or is in another cgroup now.
    private static func find(_ pid: UInt32, _ id: UInt64, _ mount: CgroupTarget.Mount) -> Known? {
        guard let text = readText(ProcessFiles(pid).path("cgroup")) else { return nil }
        for line in text.split(separator: "\n") {
            // 4:memory:/path, and 0::/path of version 2
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3,
                mount.unified ? fields[1].isEmpty : fields[1].split(separator: ",").contains("memory")
            else { continue }
            let path = String(fields[2])
            let directory = FilePath(mount.directory + path)
            guard inode(directory) == id else { return nil }
            var above: [FilePath] = []
            var at = directory
            while at.string.count >= mount.directory.count {
                above.append(at)
                guard at.removeLastComponent() else { break }
            }
            return Known(path: CgroupPath(path.isEmpty ? "/" : path), above: above)
        }
        return nil
    }

    private static func path(_ directory: FilePath, _ mount: CgroupTarget.Mount) -> CgroupPath {
        let rest = String(directory.string.dropFirst(mount.directory.count))
        return CgroupPath(rest.isEmpty ? "/" : rest)
    }

    private static func inode(_ directory: FilePath) -> UInt64? {
        var status = stat()
        return directory.withPlatformString { stat($0, &status) } == 0 ? UInt64(status.st_ino) : nil
    }

    private static func usage(_ directory: FilePath, _ mount: CgroupTarget.Mount) -> UInt64? {
        readOneLine(directory.appending(mount.unified ? "memory.current" : "memory.usage_in_bytes")).flatMap {
            UInt64($0)
        }
    }

    /// nil: no limit, for which version 1 has the largest number of whole pages.
    private static func limit(_ directory: FilePath, _ mount: CgroupTarget.Mount) -> UInt64? {
        readOneLine(directory.appending(mount.unified ? "memory.max" : "memory.limit_in_bytes")).flatMap { UInt64($0) }
            .flatMap { $0 >= UInt64(Int64.max) - (1 << 20) ? nil : $0 }
    }
}
