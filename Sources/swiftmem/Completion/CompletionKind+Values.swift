// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Glibc
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// What this machine has where an option wants one of it, when a shell asks.
extension CompletionKind {
    /// Processes, their names beside them.
    static var processID: Self { values { _ in processes.map { .init(value: "\($0.id)", hint: $0.name) } } }

    /// Threads of the process that `-p` names; without it, each process's first.
    static var threadID: Self {
        values { words in
            guard let process = value(of: ["-p", "--pid"], in: words).flatMap({ UInt32($0) }) else {
                return processes.map { .init(value: "\($0.id)", hint: $0.name) }
            }
            let tasks = ProcessFiles(process).path("task")
            return names(in: tasks).compactMap { UInt32($0) }.sorted()
                .map { .init(value: "\($0)", hint: ProcessFiles($0).comm) }
        }
    }

    /// Names of processes.
    static var processName: Self {
        values { _ in Set(processes.compactMap(\.name)).sorted().map { .init(value: $0) } }
    }

    /// Cgroups by their paths within the hierarchy that counts memory, or as directories where one is begun.
    static var cgroup: Self {
        .custom { _, _, prefix in
            guard
                let mount = CgroupTarget.memoryHierarchy()
                    ?? CgroupTarget.mounts(ProcFS.text("self/mounts")).first
            else { return [] }
            let paths = cgroups(below: mount.directory, asDirectories: prefix.hasPrefix(mount.directory))
            return offer(paths.map { .init(value: $0) }, prefix: prefix)
        }
    }

    /// The kernel's slab caches. Without the right to read /proc/slabinfo those of /sys/kernel/slab, whose names with a
    /// colon are no caches'.
    static var slabCache: Self {
        values { _ in
            let counted = SlabCaches().names
            let known = counted.isEmpty ? Set(names(in: "/sys/kernel/slab").filter { !$0.contains(":") }) : counted
            return known.sorted().map { .init(value: $0) }
        }
    }

    private static func values(_ make: @escaping @Sendable ([String]) -> [CompletionOffer.Candidate]) -> Self {
        .custom { words, _, prefix in offer(make(words), prefix: prefix) }
    }

    private static func offer(_ candidates: [CompletionOffer.Candidate], prefix: String) -> [String] {
        CompletionOffer(candidates)
            .lines(for: .requesting, prefix: prefix, bash: Environment.Variable.bashCompletion.value)
    }
}

/// Processes with a program of their own, by id; this one is not among them.
private var processes: [(id: UInt32, name: String?)] {
    ProcFS.processIDs().sorted().compactMap { id in
        let files = ProcessFiles(id)
        guard id != UInt32(getpid()), let stat = files.stat, stat.isAlive, !stat.isKernelThread else { return nil }
        return (id, String(decoding: stat.comm, as: UTF8.self))
    }
}

/// The value that stands behind the last of an option's names.
private func value(of names: [String], in words: [String]) -> String? {
    guard let index = words.lastIndex(where: names.contains), words.indices.contains(index + 1) else { return nil }
    return words[index + 1]
}

private func names(in directory: FilePath) -> [String] {
    guard var entries = Directory(directory) else { return [] }
    var names: [String] = []
    while let entry = entries.next() { names.append(entry.name.string) }
    return names
}

/// A hierarchy's cgroups, those near its root first, no more than are offered.
private func cgroups(below root: String, asDirectories: Bool) -> [String] {
    var found = [""], next = 0
    while next < found.count, found.count < CompletionOffer.limit {
        defer { next += 1 }
        guard var entries = Directory(FilePath(root + found[next])) else { continue }
        var children: [String] = []
        while let entry = entries.next() {
            if entry.isDirectory { children.append("\(found[next])/\(entry.name.string)") }
        }
        found += children.sorted()
    }
    return asDirectories ? found.map { root + $0 } : found.map { $0.isEmpty ? "/" : $0 }
}
