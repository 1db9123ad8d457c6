// SPDX-License-Identifier: Apache-2.0

/// What cachetop's rows are of.
public enum CacheTopView: String, CaseIterable, Sendable {
    case process, file, cgroup
}

/// One row: a process, a file or a cgroup.
public struct CacheTopRow: Hashable, Sendable {
    public let view: CacheTopView
    /// The process; nil in other views.
    public let pid: UInt32?
    public let uid: UInt32?
    public let comm: String?
    /// The file; nil in other views and where it is not known.
    public let file: CachedFile?
    /// The file's path, or what is known instead in brackets; the cgroup's path.
    public let name: String?
    public let pages: PageCacheInterval

    public init(
        view: CacheTopView, pid: UInt32? = nil, uid: UInt32? = nil, comm: String? = nil,
        file: CachedFile? = nil, name: String? = nil, pages: PageCacheInterval
    ) {
        self.view = view
        self.pid = pid
        self.uid = uid
        self.comm = comm
        self.file = file
        self.name = name
        self.pages = pages
    }
}
