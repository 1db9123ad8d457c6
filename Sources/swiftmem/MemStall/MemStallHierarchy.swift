// SPDX-License-Identifier: Apache-2.0
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// The memory cgroups' files, as they were at the end of the last interval.
struct MemStallHierarchy {
    /// nil: memory cgroups are not mounted here.
    let mount: CgroupTarget.Mount?
    private var known: [CgroupPath: StallCgroupFiles] = [:]
    /// All that there were at the start are known: one that is not began later, with nothing.
    private var isComplete = true

    /// A machine with more has other troubles; what is left out has no figures.
    private static let most = 4096

    /// Reads every cgroup's.
    init() {
        mount = CgroupTarget.memoryHierarchy()
        for path in Self.paths(most: Self.most) { known[path] = memory(path) }
        isComplete = known.count < Self.most
    }

    /// All memory cgroups there are, or so many of them.
    static func paths(most: Int) -> [CgroupPath] {
        guard let mount = CgroupTarget.memoryHierarchy() else { return [] }
        var open = [CgroupPath("/")], found: [CgroupPath] = []
        while let path = open.popLast(), found.count < most {
            found.append(path)
            guard var directory = Directory(directory(path, mount)) else { continue }
            while let entry = directory.next() {
                guard entry.isDirectory else { continue }
                open.append(CgroupPath((path.path == "/" ? "" : path.path) + "/" + entry.name.string))
            }
        }
        return found
    }

    static func directory(_ path: CgroupPath, _ mount: CgroupTarget.Mount) -> FilePath {
        FilePath(mount.directory).pushing(FilePath(String(path.path.drop { $0 == "/" })))
    }

    private func memory(_ path: CgroupPath) -> StallCgroupFiles? {
        guard let mount else { return nil }
        let directory = Self.directory(path, mount)
        return StallCgroupFiles(isUnified: mount.unified) { readText(directory.appending($0)) }
    }

    /// Ends an interval.
    ///
    /// - Parameter paths: the cgroups that are of interest, the limits' among them.
    /// - Returns: their files at its begin, or when they were read last, and now. One that is gone has none.
    mutating func advance(
        _ paths: Set<CgroupPath>
    ) -> (before: [CgroupPath: StallCgroupFiles], now: [CgroupPath: StallCgroupFiles]) {
        var before: [CgroupPath: StallCgroupFiles] = [:], now: [CgroupPath: StallCgroupFiles] = [:]
        for path in paths {
            guard let memory = memory(path), memory != StallCgroupFiles() else { continue }
            before[path] = known[path] ?? (isComplete ? .begun : nil)
            now[path] = memory
            known[path] = memory
        }
        return (before, now)
    }
}
