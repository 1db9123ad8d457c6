// SPDX-License-Identifier: Apache-2.0
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// Reads what memory each cgroup is charged for, of the hierarchy that counts memory: version 2's, else version 1's.
enum CgroupReader {
    private static let most = 5000

    /// Cgroups, the largest charge first.
    static func read() -> [CgroupMemory] {
        guard let counting = CgroupTarget.memoryHierarchy() else { return [] }
        var cgroups: [CgroupMemory] = []
        var open = [(FilePath(counting.directory), "")]
        while let (directory, path) = open.popLast(), cgroups.count < most {
            let cgroup = CgroupMemory(path: CgroupPath(path.isEmpty ? "/" : path), unified: counting.unified) { name in
                readBytes(directory.appending(name))
            }
            if cgroup.currentBytes != nil || cgroup.anonBytes != nil { cgroups.append(cgroup) }
            guard var entries = Directory(directory) else { continue }
            while let entry = entries.next() {
                guard entry.isDirectory else { continue }
                open.append((directory.appending(entry.name), path + "/" + entry.name.string))
            }
        }
        return cgroups.sorted { ($0.currentBytes ?? .max) > ($1.currentBytes ?? .max) }
    }
}
