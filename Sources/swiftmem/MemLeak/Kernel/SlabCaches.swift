// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// The kernel's slab caches, as /proc/slabinfo counts them.
struct SlabCaches {
    /// Objects in use, by the cache's name. Those that a CPU keeps for its next allocations are among them.
    private(set) var inUse: [String: UInt64] = [:]

    /// Empty where the file can't be read.
    init() { self.init(table: readText("/proc/slabinfo") ?? "") }

    init(table: String) {
        for line in table.split(separator: "\n").dropFirst(2) {
            let words = line.split(separator: " ")
            // "dentry 231 252 192 21 1 : …": active, all, bytes
            if words.count > 2, let count = UInt64(words[1]) { inUse[String(words[0])] = count }
        }
    }

    var names: Set<String> { Set(inUse.keys) }

    /// What these say of a cache in which so many objects seem to be outstanding.
    ///
    /// - Parameter before: the caches at the start.
    /// - Returns: nil where they don't know it.
    func check(_ name: String, outstanding: UInt64, since before: SlabCaches) -> SlabCheck? {
        guard let now = inUse[name] else { return nil }
        let then = before.inUse[name] ?? 0
        return SlabCheck(cache: name, outstanding: outstanding, inUse: now, growth: now > then ? now - then : 0)
    }

    /// - Throws: `Failure` when no cache has this name, or its objects are in another.
    static func require(_ name: String) throws(Failure) {
        let caches = SlabCaches()
        guard !caches.inUse.isEmpty, caches.inUse[name] == nil else { return }
        let shown = Printable.text(name)
        guard !name.contains("/"), let target = linkTarget("/sys/kernel/slab/\(name)") else {
            throw .badValue("--cache \(shown): no slab cache has this name (/proc/slabinfo lists them)")
        }
        let merged = caches.names.filter { linkTarget("/sys/kernel/slab/\($0)") == target }
        throw .badValue(
            "--cache \(shown): its objects are in another cache"
                + (merged.first.map { ": \(Printable.text($0))" } ?? ""))
    }

    private static func linkTarget(_ path: String) -> FilePath? { readLink(FilePath(path)) }
}
