// SPDX-License-Identifier: Apache-2.0

/// A fact that stands out, and what to look at next.
public struct MemInfoHint: Hashable, Sendable {
    /// Which rule gave it. It stays.
    public let rule: String
    public let fact: String
    /// A command to run; nil where there is none.
    public let command: String?

    public init(rule: String, fact: String, command: String?) {
        (self.rule, self.fact, self.command) = (rule, fact, command)
    }

    public var text: String { fact + (command.map { ": " + $0 } ?? "") }

    public func json(_ time: WallTime) -> JSONLine {
        var line = JSONLine(type: "meminfo_hint")
        line.add("time", time.rfc3339)
        line.add("rule", rule)
        line.add("fact", fact)
        line.add("command", command)
        return line
    }

    /// What a report gives rise to, what weighs most first: three at most, none where nothing stands out.
    public static func hints(_ report: MemInfoReport) -> [MemInfoHint] {
        Array(rules.flatMap { $0(report) }.prefix(3))
    }

    private typealias Rule = @Sendable (MemInfoReport) -> [MemInfoHint]

    private static let rules: [Rule] = [
        absurd, remainderGrows, remainderStands, sharedGrows, sharedStands, deletedStands, slabStands, tablesStand,
        hugePagesUnused,
    ]

    private static let absurd: Rule = { report in
        guard let name = report.ledger.absurdCounters.first else { return [] }
        return [
            MemInfoHint(
                rule: "absurd_counter", fact: "the kernel's counter \(name) is larger than the memory, and is not used",
                command: nil)
        ]
    }

    private static let remainderGrows: Rule = { report in
        guard report.remainderMoves, let rate = report.unaccountedBytesPerSecond, rate > 0 else { return [] }
        let growth = megabytes(report.unaccountedGrowth ?? 0)
        return [
            MemInfoHint(
                rule: "remainder_grows",
                fact: "what no counter owns grew by \(growth) MB, \(fixed(rate * 3600 / 1_048_576, 0)) MB/h",
                command: "swiftmem meminfo --unaccounted 10 3")
        ]
    }

    private static let remainderStands: Rule = { report in
        let ledger = report.ledger
        guard !report.remainderMoves, !ledger.isWithinError,
            ledger.unaccountedBytes > Int64(ledger.totalBytes / 20)
        else { return [] }
        return [
            MemInfoHint(
                rule: "remainder_stands",
                fact: "\(megabytes(ledger.unaccountedBytes)) MB are in no counter: pages that drivers or sockets hold",
                command: "swiftmem meminfo --unaccounted 10 3, while it grows")
        ]
    }

    /// What to look at, by what holds shared memory.
    private static let holders: [(part: MemoryPart, words: String, command: String?)] = [
        (.posixShm, "files in /dev/shm", "swiftmem meminfo --files"),
        (.tmpfs, "files in tmpfs mounts", "swiftmem meminfo --files"),
        (.sysvShm, "System V segments", "swiftmem shmsnoop --list"),
        (.memfd, "memfds", "swiftmem meminfo --files"),
        (.sharedAnonymous, "MAP_SHARED mappings of no file", "swiftmem meminfo --files"),
        (.gpuObjects, "graphics drivers' objects", nil),
        (.shmemOther, "shared memory of processes that can't be looked at", "sudo swiftmem meminfo"),
    ]

    /// Its largest file with who uses that, where it is most of it; else its largest mount.
    private static func largest(_ part: MemoryPart, _ report: MemInfoReport) -> String {
        let bytes = report.ledger[part] ?? 0
        if let file = report.ledger.sharedFiles.first(where: { $0.kind.part == part }), file.bytes > bytes / 2 {
            let verb = file.holders > 1 ? "use" : "uses"
            let size = megabytes(Int64(clamping: file.bytes))
            return "; \(file.heldBy) \(verb) \(Printable.text(file.name)), \(size) MB"
        }
        guard let detail = report.ledger.details.filter({ $0.part == part }).max(by: { $0.bytes < $1.bytes }) else {
            return ""
        }
        return "; \(Printable.text(detail.name)) has \(megabytes(Int64(clamping: detail.bytes))) MB"
    }

    private static let sharedGrows: Rule = { report in
        let least = Int64(report.ledger.totalBytes / 100)
        let grown = holders.compactMap { holder in report.change(holder.part).map { (holder, $0) } }
            .filter { $0.1 > least }.sorted { $0.1 > $1.1 }
        return grown.prefix(2).map { holder, growth in
            MemInfoHint(
                rule: "shared_grows",
                fact: "\(holder.words) grew by \(megabytes(growth)) MB" + largest(holder.part, report),
                command: holder.command)
        }
    }

    private static let sharedStands: Rule = { report in
        let least = report.ledger.totalBytes / 100
        let sizes = holders.compactMap { holder in report.ledger[holder.part].map { (holder, $0) } }
            .filter { $0.1 > least && (report.change($0.0.part) ?? 0) <= Int64(least) }.sorted { $0.1 > $1.1 }
        return sizes.prefix(2).map { holder, bytes in
            MemInfoHint(
                rule: "shared_stands",
                fact: "\(holder.words) hold \(megabytes(Int64(bytes))) MB" + largest(holder.part, report),
                command: holder.command)
        }
    }

    private static let deletedStands: Rule = { report in
        guard let bytes = report.ledger[.shmemDeleted], bytes > report.ledger.totalBytes / 100 else { return [] }
        return [
            MemInfoHint(
                rule: "deleted_stands",
                fact: "deleted files hold \(megabytes(Int64(bytes))) MB" + largest(.shmemDeleted, report), command: nil)
        ]
    }

    private static let slabStands: Rule = { report in
        guard let bytes = report.ledger[.slabUnreclaimable], bytes > report.ledger.totalBytes / 10 else { return [] }
        return [
            MemInfoHint(
                rule: "slab_stands",
                fact: "the slab allocator holds \(megabytes(Int64(bytes))) MB that it can't give back",
                command: "swiftmem memleak 10 3")
        ]
    }

    private static let tablesStand: Rule = { report in
        guard let bytes = report.ledger[.pageTables], bytes > report.ledger.totalBytes / 20 else { return [] }
        return [
            MemInfoHint(
                rule: "page_tables_stand", fact: "page tables hold \(megabytes(Int64(bytes))) MB",
                command: "swiftmem meminfo --processes")
        ]
    }

    private static let hugePagesUnused: Rule = { report in
        let free = report.ledger.details.filter { $0.part == .hugetlb && $0.name.hasSuffix("free") }
        let bytes = free.reduce(UInt64(0)) { $0.addingCapped($1.bytes) }
        guard bytes > report.ledger.totalBytes / 20 else { return [] }
        return [
            MemInfoHint(
                rule: "huge_pages_unused",
                fact: "\(megabytes(Int64(clamping: bytes))) MB are set aside as huge pages that nobody uses",
                command: "sysctl vm.nr_hugepages")
        ]
    }

    private static func megabytes(_ bytes: Int64) -> String { fixed(Double(bytes) / 1_048_576, 0) }
}
