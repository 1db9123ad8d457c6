// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer
internal import SystemPackage
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Reports

/// cachetop's maps, read an interval at a time, and the names of what they count.
struct CacheTopSource {
    private let entries: [BPFMap<cachetop_key, cachetop_entry>]
    private let active: MapOfMaps
    private let paths: BPFMap<cachetop_file, cachetop_path>
    private let overflow: PerCPUMap<UInt32, pagecache_counters>
    private var current = 0
    private var carries: [CacheTopUse.Key: PageCacheCarry] = [:]
    private var overflowLedger: PageCacheLedger
    let names = CacheTopNames()

    init(_ object: borrowing LoadedObject) throws(BPFError) {
        entries = [try object.map("entries_0"), try object.map("entries_1")]
        active = try object.mapOfMaps("active")
        paths = try object.map("paths")
        overflow = try object.perCPUMap("overflow")
        overflowLedger = PageCacheLedger(
            from: PageCacheCounters(records: try overflow.values(for: 0) ?? []))
    }

    /// All that was counted since the last time. See BPF/cachetop.bpf.c on why none of
    /// it is lost.
    mutating func collect() throws(BPFError) -> CacheTopInterval {
        let full = current
        current = 1 - current
        try active.set(0, to: entries[current])
        var result: [CacheTopEntry] = []
        var carriesLeft: [CacheTopUse.Key: PageCacheCarry] = [:]
        var carries = self.carries
        try entries[full].drain { key, entry in
            let use = CacheTopUse(key: key, entry: entry)
            var carry = carries.removeValue(forKey: use.key) ?? PageCacheCarry()
            let pages = carry.settle(use.counters)
            if !carry.isEmpty { carriesLeft[use.key] = carry }
            result.append(CacheTopEntry(use, pages: pages))
        }
        // one not seen in this interval may still be in the next
        self.carries = carriesLeft
        var fresh: [CachedFilePath] = []
        try paths.drain { file, path in fresh.append(CachedFilePath(file, path)) }
        names.learn(fresh)
        let rest = overflowLedger.advance(
            to: PageCacheCounters(records: try overflow.values(for: 0) ?? []))
        return CacheTopInterval(entries: result, unattributed: rest)
    }
}

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
