// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import TraceRecords
internal import LibBPF
internal import Symbols
internal import Unwind

/// How user stacks are walked; `--stack`.
enum StackMode: String, CaseIterable, ExpressibleByArgument {
    case fp, dwarf, auto
    /// Not for users: what the others are measured against (Scripts/bench-stacks). The kernel's own walk; the caller alone.
    case kernel, caller

    static var allValueStrings: [String] { [fp, dwarf, auto].map(\.rawValue) }

    /// By tables?
    var unwinds: Bool { self == .dwarf || self == .auto }

    /// The programs' read-only data `.rodata.stack`.
    var config: stack_config {
        let mode =
            switch self {
            case .fp: STACK_FP
            case .dwarf: STACK_DWARF
            case .auto: STACK_AUTO
            case .kernel: STACK_KERNEL
            case .caller: STACK_CALLER
            }
        return stack_config(mode: mode.rawValue, padding: 0)
    }

    /// Sets up an object whose programs include BPF/lib/unwind.h, before its load.
    ///
    /// - Parameter preallocates: hash maps take all their room at once, on kernels that want it so.
    func prepare(_ object: borrowing OpenObject, preallocates: Bool) throws(BPFError) {
        try object.setReadOnlyData(".rodata.stack", to: config)
        for map in ["unwind_pages", "unwind_parents", "unwind_wanted"] {
            if preallocates { try object.map(map).setPreallocated(true) }
            if !unwinds { try object.map(map).setMaxEntries(1) }
        }
        if preallocates && unwinds { try object.map("unwind_pages").setMaxEntries(1024) }
    }
}

/// Gives the programs the tables and mappings that they unwind stacks by.
struct StackUnwinder {
    private let tables: UnwindTables
    private let blocks: MapOfMaps
    private let pages: BPFMap<unwind_page_key, unwind_page>
    private let parents: BPFMap<UInt32, UInt32>
    private let wanted: BPFMap<UInt32, UInt64>
    private let generations: BPFMap<UInt32, UInt64>
    /// As the programs have them.
    private var known: [UInt32: [UnwindRegion]] = [:]
    /// By number of the table: its block of rules; nil where the kernel had no room for it.
    private var rules: [UnwindTables.ID: UInt32?] = [:]
    private var generation: UInt32 = 0
    /// Processes that have asked, and may ask again.
    private var askers: Set<UInt32> = []

    /// The size of `unwind_tables`, whose first place stands for none.
    private static let mostTables = 4095
    private static let pageMappings = Int(UNWIND_PAGE_MAPPINGS)
    private static let mostMappings = pageMappings * Int(UNWIND_PAGES)

    /// nil where stacks are walked by frame pointers.
    init?(_ object: borrowing LoadedObject, _ mode: StackMode) throws(BPFError) {
        guard mode.unwinds else { return nil }
        tables = UnwindTables(mostTables: Self.mostTables, cache: .standard)
        blocks = try object.mapOfMaps("unwind_tables")
        pages = try object.map("unwind_pages")
        parents = try object.map("unwind_parents")
        wanted = try object.map("unwind_wanted")
        generations = try object.map("unwind_generation")
        try generations.set(0, to: 1)
    }

    /// Reads a process's mappings, and gives the programs what is new of them.
    ///
    /// A process that is gone keeps what it had. Gives whether there was anything new.
    @discardableResult
    mutating func load(_ pid: UInt32) throws(BPFError) -> Bool {
        guard let regions = try? tables.regions(of: Int32(bitPattern: pid)), !regions.isEmpty,
            known[pid] != regions
        else { return false }
        try upload(regions)
        let mappings = regions.prefix(Self.mostMappings).map(mapping)
        try write(mappings, pid)
        known[pid] = regions
        try parents.remove(pid)
        // last: what threads remember is of the mappings before
        try generations.set(0, to: UInt64(generation) + 1)
        return true
    }

    /// A stack of this process led to code in no mapping known.
    mutating func asked(_ pid: UInt32) throws(BPFError) {
        let isNews = try load(pid)
        // Libraries come one after another; a JIT that maps without end must wait.
        if isNews, answers.allows() {
            try wanted.remove(pid)
        } else {
            if isNews { delay = Self.delays.lowerBound }
            askers.insert(pid)
        }
    }

    /// Is there somebody who may ask again once `rearm` was called?
    var hasAskers: Bool { !askers.isEmpty }

    /// Seconds until `rearm` is due: longer from time to time where there was no answer.
    private(set) var delay = Self.delays.lowerBound
    private static let delays = 0.02...0.64
    private var answers = Allowance(perSecond: 100)

    /// Lets processes ask again.
    mutating func rearm() throws(BPFError) {
        guard hasAskers else { return }
        var isNews = false
        for pid in askers {
            if try load(pid) { isNews = true }
            try wanted.remove(pid)
        }
        askers = []
        delay = isNews ? Self.delays.lowerBound : min(delay * 2, Self.delays.upperBound)
    }

    /// The process called exec: its mappings are others.
    mutating func execed(_ pid: UInt32) throws(BPFError) {
        known[pid] = nil
        try load(pid)
    }

    /// The process is gone.
    mutating func forget(_ pid: UInt32) throws(BPFError) {
        askers.remove(pid)
        try parents.remove(pid)
        try wanted.remove(pid)
        guard let regions = known.removeValue(forKey: pid) else { return }
        for page in 0..<Self.pageCount(regions.count) {
            try pages.remove(unwind_page_key(pid: pid, page: UInt32(page)))
        }
    }

    /// For --verbose: what the tables are.
    var summary: String {
        "\(tables.count) unwind tables, \(tables.keptCount) of them kept from earlier runs, \(tables.byteCount >> 10) KiB, in "
            + "\(tables.time.components.seconds * 1000 + tables.time.components.attoseconds / 1_000_000_000_000_000) ms"
    }

    private static func pageCount(_ mappings: Int) -> Int {
        max(1, (min(mappings, mostMappings) + pageMappings - 1) / pageMappings)
    }

    private func mapping(_ region: UnwindRegion) -> unwind_mapping {
        var mapping = unwind_mapping()
        mapping.start = region.start
        mapping.end = region.end
        switch region.rules {
        case .framePointers: break
        case .none: mapping.table = UInt32(UNWIND_NO_CODE)
        case .table(let id, let offset):
            guard case .some(.some(let block)) = rules[id] else { break }
            mapping.table = UInt32(id)
            mapping.offset = offset
            mapping.rules = block
        }
        return mapping
    }

    /// Puts tables that are new into the kernel, all at once.
    private mutating func upload(_ regions: [UnwindRegion]) throws(BPFError) {
        var arrays: [(place: UInt32, map: BPFMap<UInt32, unwind_block>)] = []
        for region in regions {
            guard case .table(let id, _) = region.rules, rules[id] == nil else { continue }
            rules[id] = .some(nil)
            guard let table = tables.take(id) else { continue }
            do throws(BPFError) {
                let bytes = table.words.span.bytes
                let array = try BPFMap<UInt32, unwind_block>.create(
                    .array, name: "unwind_blocks", maxEntries: bytes.byteCount / MemoryLayout<unwind_block>.size,
                    options: .innerMap)
                try array.fill(with: bytes)
                arrays.append((UInt32(id), array))
                rules[id] = .some(table.rulesBlock)
            } catch {
                // its code is walked by frame pointers
                note("no room for the unwind table of a file (\(table.byteCount >> 20) MiB)")
            }
        }
        try blocks.set(arrays)
    }

    /// The first page last: it is what makes the others known.
    private mutating func write(_ mappings: [unwind_mapping], _ pid: UInt32) throws(BPFError) {
        generation &+= 1
        let count = Self.pageCount(mappings.count)
        for page in (0..<count).reversed() {
            let first = page * Self.pageMappings
            let part = mappings[first..<min(mappings.count, first + Self.pageMappings)]
            var record = unwind_page()
            record.pid = pid
            record.generation = generation
            record.count = UInt32(part.count)
            record.pages = UInt32(count)
            withUnsafeMutableBytes(of: &record.firsts) { bytes in
                for index in 0..<Int(UNWIND_PAGES) {
                    let at = index * Self.pageMappings
                    let start = page == 0 && at < mappings.count ? mappings[at].start : .max
                    bytes.storeBytes(of: start, toByteOffset: index * 8, as: UInt64.self)
                }
            }
            withUnsafeMutableBytes(of: &record.mappings) { bytes in
                var beyond = unwind_mapping()
                beyond.start = .max
                beyond.end = .max
                for index in 0..<Self.pageMappings {
                    let mapping = index < part.count ? part[first + index] : beyond
                    bytes.storeBytes(
                        of: mapping, toByteOffset: index * MemoryLayout<unwind_mapping>.stride,
                        as: unwind_mapping.self)
                }
            }
            try pages.set(unwind_page_key(pid: pid, page: UInt32(page)), to: record)
        }
    }
}

/// So many things a second, not more.
private struct Allowance {
    let perSecond: Int
    private var begun = ContinuousClock.now
    private var count = 0

    init(perSecond: Int) { self.perSecond = perSecond }

    mutating func allows() -> Bool {
        if begun.duration(to: .now) >= .seconds(1) {
            begun = .now
            count = 0
        }
        count += 1
        return count <= perSecond
    }
}
