// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// What memory a process has, in bytes.
public struct ProcessMemory: Hashable, Sendable {
    public var pid: UInt32
    public var comm: String
    /// Its effective user; nil: not known.
    public var uid: UInt32?
    public var anonBytes: UInt64
    public var fileBytes: UInt64
    public var shmemBytes: UInt64
    public var swapBytes: UInt64?
    public var pageTablesBytes: UInt64?
    public var threads: UInt64?
    /// Resident, shared pages by their share; nil: not read.
    public var pssBytes: UInt64?
    /// Resident, and nobody else's; nil: not read.
    public var ussBytes: UInt64?

    /// Resident, by all CPUs' parts of its counters or counted page by page; nil: not read.
    public var exactRSSBytes: UInt64?

    /// Resident: by its pages, or as the kernel's counters have it.
    public var rssBytes: UInt64 {
        exactRSSBytes ?? anonBytes.addingCapped(fileBytes).addingCapped(shmemBytes)
    }

    /// From /proc/PID/status; nil for a thread of the kernel's, and for a process that is ending.
    public init?(pid: UInt32, comm: String, uid: UInt32?, status text: [UInt8]) {
        let numbers = NamedNumbers(
            text, names: ["RssAnon", "RssFile", "RssShmem", "VmSwap", "VmPTE", "Threads"])
        guard let anon = numbers["RssAnon"], let file = numbers["RssFile"], let shmem = numbers["RssShmem"] else {
            return nil
        }
        (self.pid, self.comm, self.uid) = (pid, comm, uid)
        (anonBytes, fileBytes, shmemBytes) = (anon, file, shmem)
        (swapBytes, pageTablesBytes, threads) = (numbers["VmSwap"], numbers["VmPTE"], numbers["Threads"])
    }

    /// All processes, of the records that BPF/lib/write_process.h has written: by all CPUs' parts of each counter.
    public static func all(_ bytes: [UInt8]) -> [ProcessMemory] {
        records(bytes, as: process_memory.self).map { ProcessMemory($0) }
    }

    private init(_ record: process_memory) {
        let page = UInt64(record.page_bytes)
        (pid, comm, uid) = (record.pid, fixedText(record.comm), record.uid)
        anonBytes = record.anon_pages.multipliedCapped(by: page)
        fileBytes = record.file_pages.multipliedCapped(by: page)
        shmemBytes = record.shmem_pages.multipliedCapped(by: page)
        swapBytes = record.swap_pages.multipliedCapped(by: page)
        (pageTablesBytes, threads) = (record.pgtables_bytes, UInt64(record.threads))
        exactRSSBytes = anonBytes.addingCapped(fileBytes).addingCapped(shmemBytes)
    }

    /// Adds what /proc/PID/smaps_rollup tells.
    public mutating func add(smapsRollup text: [UInt8]) {
        let numbers = NamedNumbers(text, names: ["Rss", "Pss", "Private_Clean", "Private_Dirty"])
        exactRSSBytes = numbers["Rss"]
        pssBytes = numbers["Pss"]
        if let clean = numbers["Private_Clean"], let dirty = numbers["Private_Dirty"] {
            ussBytes = clean.addingCapped(dirty)
        }
    }
}

/// When a process's shares may be read: it stalls the process while it lasts, and takes its time by the page.
public struct RollupBudget: Sendable {
    /// Nanoseconds that are left.
    public private(set) var left: UInt64
    /// Nanoseconds a MiB, at least as long as the slowest so far took: one of 200 GB takes 4.5 s.
    private var perMegabyte: UInt64 = 30_000

    public init(nanoseconds: UInt64) { left = nanoseconds }

    /// Is there time for one of this size?
    public func allows(_ rssBytes: UInt64) -> Bool {
        (rssBytes >> 20).multipliedCapped(by: perMegabyte).addingCapped(20_000) <= left
    }

    /// One took so long.
    public mutating func spend(_ nanoseconds: UInt64, on rssBytes: UInt64) {
        left -= Swift.min(left, nanoseconds)
        let megabytes = rssBytes >> 20
        if megabytes >= 16 { perMegabyte = Swift.max(perMegabyte, nanoseconds / megabytes) }
    }
}
