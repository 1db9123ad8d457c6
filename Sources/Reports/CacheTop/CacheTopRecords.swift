// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// One process' use of one file, as cachetop's programs counted it in one interval.
public struct CacheTopUse: Hashable, Sendable {
    /// What tells one use from another.
    public struct Key: Hashable, Sendable {
        public let pid: UInt32
        /// nil: which file is not known.
        public let file: CachedFile?
    }

    public let key: Key
    /// The process's owner and name, when its use was first seen.
    public let uid: UInt32
    public let comm: String
    public let fileState: CachedFileState
    /// kernfs id of the memory cgroup of the task that was seen first.
    public let cgroup: UInt64
    public let counters: PageCacheCounters

    package init(key: cachetop_key, entry: cachetop_entry) {
        let isKnown = key.device != CACHETOP_NO_FILE
        self.key = Key(pid: key.pid, file: isKnown ? CachedFile(device: key.device, inode: key.inode) : nil)
        uid = entry.uid
        comm = fixedText(entry.comm)
        fileState = CachedFileState(rawValue: entry.flags)
        cgroup = entry.cgroup
        counters = PageCacheCounters(record: entry.counts)
    }
}

extension CacheTopEntry {
    /// - Parameter pages: what the use's counters come to with what earlier intervals left over.
    public init(_ use: CacheTopUse, pages: PageCacheInterval) {
        self.init(
            pid: use.key.pid, uid: use.uid, comm: use.comm, file: use.key.file, fileState: use.fileState,
            cgroup: use.cgroup, pages: pages)
    }
}

/// A file's path from the root of its file system.
public struct CachedFilePath: Hashable, Sendable {
    public let file: CachedFile
    /// nil: the file has no name.
    public let text: String?
    /// The path is longer: directories nearest to the root are missing.
    public let isCut: Bool

    package init(_ file: cachetop_file, _ path: cachetop_path) {
        self.file = CachedFile(device: file.device, inode: file.inode)
        let names = fixedBytes(path.names, path.length)
        text = names.isEmpty ? nil : CgroupPath(leafFirst: names).path
        isCut = path.cut != 0
    }
}
