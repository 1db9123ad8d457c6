// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// What the programs counted, beyond what those of processes count.
public struct KernelLeakCounters: Hashable, Sendable {
    /// Recorded objects freed by kmem_cache_free_bulk().
    public var bulkFrees: UInt64 = 0
    /// Recorded objects freed by kfree_rcu().
    public var rcuFrees: UInt64 = 0
    /// Frees of recorded memory that were not seen: its address was given out again.
    public var unseenFrees: UInt64 = 0
    /// Frees of recorded memory that only the second program saw: they interrupted the first.
    public var rescuedFrees: UInt64 = 0
    /// kfree(NULL)
    public var nullFrees: UInt64 = 0
    /// Stacks as deep as their record.
    public var cutStacks: UInt64 = 0
    /// Are frees in bulk seen?
    public var seesBulk = true
    /// Slab caches some of whose objects were freed unseen, by name.
    public var unseenCaches: [String] = []
    /// Slab caches with more objects outstanding than /proc/slabinfo explains, by name.
    public var doubtful: [SlabCheck] = []

    public init() {}

    /// All numbers among them.
    static var all: [WritableKeyPath<KernelLeakCounters, UInt64>] {
        [\.bulkFrees, \.rcuFrees, \.unseenFrees, \.rescuedFrees, \.nullFrees, \.cutStacks]
    }

    /// The sum of what the CPUs counted.
    package init(records: [kernelleak_counters]) {
        for record in records {
            bulkFrees &+= record.bulk_frees
            rcuFrees &+= record.rcu_frees
            unseenFrees &+= record.unseen_frees
            rescuedFrees &+= record.rescued_frees
            nullFrees &+= record.null_frees
            cutStacks &+= record.cut_stacks
        }
    }

    /// Lines of text behind a report.
    var lines: [String] {
        var lines: [String] = []
        if !seesBulk {
            lines.append("frees in bulk are not seen on this kernel: false leaks possible")
        }
        if unseenFrees > 0 {
            let some = unseenCaches.prefix(8).map { Printable.text($0) }.joined(separator: " ")
            lines.append(
                "\(unseenFrees) frees not seen: their addresses were given out again"
                    + (some.isEmpty ? "" : " (\(some)\(unseenCaches.count > 8 ? " …" : ""))"))
        }
        if !doubtful.isEmpty { lines.append(SlabCheck.words(doubtful)) }
        if cutStacks > 0 {
            lines.append("\(cutStacks) stacks deeper than \(KSTACK_FRAMES) frames: the outermost are missing")
        }
        return lines
    }

    func add(to line: inout JSONLine) {
        line.add("false_leaks_possible", !seesBulk || unseenFrees > 0 || !doubtful.isEmpty)
        line.add("bulk_frees_seen", seesBulk)
        line.add("bulk_frees", bulkFrees)
        line.add("rcu_frees", rcuFrees)
        line.add("unseen_frees", unseenFrees)
        line.add("unseen_caches", unseenCaches)
        line.add(
            "doubtful_caches",
            doubtful.map { check in
                var object = JSONLine()
                object.add("cache", check.cache)
                object.add("outstanding", check.outstanding)
                object.add("in_use", check.inUse)
                object.add("growth", check.growth)
                return object
            })
        line.add("rescued_frees", rescuedFrees)
        line.add("null_frees", nullFrees)
        line.add("cut_stacks", cutStacks)
    }
}
