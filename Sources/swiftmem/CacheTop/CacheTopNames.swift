// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// Names of files, cgroups and users, looked up once.
final class CacheTopNames {
    private var files: [CachedFile: String] = [:]
    private var cgroups: [UInt64: String] = [:]
    private var users: [UInt32: String] = [:]

    func learn(_ fresh: [CachedFilePath]) {
        guard !fresh.isEmpty else { return }
        if files.count > 100_000 { files.removeAll() }
        let mounts = MountTable(mountinfo: ProcFS.text("self/mountinfo"))
        for path in fresh {
            let file = path.file
            guard let inner = path.text else {
                files[file] = "[unnamed]"
                continue
            }
            if path.isCut {
                files[file] = "[…]" + inner
            } else {
                files[file] = mounts.path(inner, on: file.device) ?? "[\(file.device)]\(inner)"
            }
        }
    }

    /// A file's path, or in brackets what is known instead.
    func fileName(_ file: CachedFile?, _ state: CachedFileState) -> String {
        guard let file else { return "[not known]" }
        if state.contains(.blockDevice) { return "[block device]" }
        let name = files[file] ?? "[inode \(file.inode) on \(file.device)]"
        return state.contains(.deleted) ? name + " (deleted)" : name
    }

    /// The path of the cgroup whose directory has this inode number.
    func cgroupName(_ id: UInt64) -> String {
        if let known = cgroups[id] { return known }
        for mount in CgroupTarget.mounts(ProcFS.text("self/mounts")) {
            index(mount.directory, below: mount.directory, depth: 0)
        }
        let name = cgroups[id] ?? "[cgroup \(id)]"
        cgroups[id] = name
        return name
    }

    private func index(_ directory: String, below root: String, depth: Int) {
        var status = stat()
        guard depth < 24, stat(directory, &status) == 0 else { return }
        let path = directory.dropFirst(root.count)
        cgroups[UInt64(status.st_ino)] = path.isEmpty ? "/" : String(path)
        guard var entries = Directory(FilePath(directory)) else { return }
        while let entry = entries.next() {
            guard entry.isDirectory else { continue }
            index(directory + "/" + entry.name.string, below: root, depth: depth + 1)
        }
    }

    func userName(_ uid: UInt32) -> String {
        if let known = users[uid] { return known }
        // SAFETY: the entry is the library's own until the next call; one thread.
        let name = getpwuid(uid).map { String(cString: $0.pointee.pw_name) } ?? String(uid)
        users[uid] = name
        return name
    }
}
