// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer
internal import SystemPackage
internal import TraceRecords
internal import Glibc
internal import Reports

/// A cgroup that the user named, as programs and reports compare it.
struct CgroupTarget: Equatable {
    /// kernfs id, which is the directory's inode number.
    let id: UInt64
    /// Levels below the hierarchy's root.
    let level: UInt32
    let unified: Bool
    /// Within its hierarchy.
    let path: CgroupPath
    /// In this mount namespace.
    let directory: String

    /// Finds a cgroup by its directory, or by its path within the unified or the
    /// memory hierarchy.
    ///
    /// - Throws: `Failure` when there is none, or it is of another v1 hierarchy.
    init(_ name: String) throws(Failure) {
        let mounts = Self.mounts(ProcFS.text("self/mounts"))
        guard !mounts.isEmpty else {
            throw .badValue("--cgroup \(name): no cgroup hierarchy with memory is mounted")
        }
        let relative = name.hasPrefix("/") ? name : "/" + name
        let candidates = [name] + mounts.map { $0.directory + relative }
        for candidate in candidates {
            guard let directory = canonical(candidate) else { continue }
            for mount in mounts
            where directory == mount.directory || directory.hasPrefix(mount.directory + "/") {
                var status = stat()
                guard stat(directory, &status) == 0 else { continue }
                let rest = directory.dropFirst(mount.directory.count)
                id = UInt64(status.st_ino)
                level = UInt32(rest.split(separator: "/").count)
                unified = mount.unified
                self.directory = directory
                path = CgroupPath(rest.isEmpty ? "/" : String(rest))
                return
            }
        }
        throw .badValue("--cgroup \(Printable.text(name)): no such cgroup")
    }

    struct Mount: Equatable {
        let directory: String
        let unified: Bool
    }

    /// Where cgroup v2 and v1's memory controller are mounted, by /proc/mounts.
    static func mounts(_ text: String) -> [Mount] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count >= 4 else { return nil }
            switch fields[2] {
            case "cgroup2": return Mount(directory: String(fields[1]), unified: true)
            case "cgroup" where fields[3].split(separator: ",").contains("memory"):
                return Mount(directory: String(fields[1]), unified: false)
            default: return nil
            }
        }
    }
}

extension CgroupTarget {
    /// The hierarchy that counts memory: version 2's where it has that controller, else version 1's; nil: none does.
    static func memoryHierarchy() -> Mount? {
        mounts(ProcFS.text("self/mounts")).first { mount in
            readText(FilePath(mount.directory).appending(mount.unified ? "cgroup.controllers" : "memory.stat"))
                .map { !mount.unified || $0.split(whereSeparator: \.isWhitespace).contains("memory") } ?? false
        }
    }
}

/// A path without links and dots; nil where there is no such file.
private func canonical(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    // SAFETY: realpath() returned a NUL-terminated string, freed behind this.
    return String(cString: resolved)
}

extension filter_config {
    /// The read-only data that makes BPF/lib/filter.h look at these tasks only.
    init(_ options: TaskOptions) throws(Failure) {
        self.init()
        if let pid = options.pid {
            flags |= FILTER_PID.rawValue
            self.pid = pid.value
        }
        if let tid = options.tid {
            flags |= FILTER_TID.rawValue
            self.tid = tid.value
        }
        if let comm = options.comm {
            flags |= FILTER_COMM.rawValue
            withUnsafeMutableBytes(of: &self.comm) { bytes in
                // TASK_COMM_LEN is 16 with the NUL
                for (index, byte) in comm.utf8.prefix(15).enumerated() { bytes[index] = byte }
            }
        }
        if let name = options.cgroup { choose(try CgroupTarget(name)) }
    }

    /// Lets in tasks of this cgroup and below only.
    mutating func choose(_ target: CgroupTarget) {
        flags |= target.unified ? FILTER_CGROUP2.rawValue : FILTER_CGROUP1.rawValue
        cgroup_id = target.id
        cgroup_level = target.level
    }
}

/// - Throws: `Failure` when a process or thread that was named is not there.
func requireTask(_ options: TaskOptions) throws(Failure) {
    for id in [options.pid, options.tid].compactMap({ $0 })
    where !ProcessFiles(id.value).exists {
        throw .badValue("no process or thread has the id \(id.value)")
    }
}
