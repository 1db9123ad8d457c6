// SPDX-License-Identifier: Apache-2.0
public import LibBPF
public import Symbols
public import SystemPackage
internal import TraceRecords

/// What processes have mapped, and the tables of it.
protocol UnwindSource: AnyObject {
    /// What a process has mapped executable, by address. Throws once it is gone.
    func regions(of pid: Int32) throws(SymbolError) -> [UnwindRegion]
    /// Gives a new table away; nil where it was taken already.
    func take(_ id: UnwindTables.ID) -> UnwindTable?
    /// In words, what the tables are.
    var summary: String { get }
}

extension UnwindTables: UnwindSource {}

/// Gives the programs the tables and mappings that they unwind stacks by.
public struct UnwindUploader {
    private let source: any UnwindSource
    private let maps: any UnwindMaps
    private let note: (String) -> Void
    /// What the programs have of each process.
    private var known: [UInt32: [UnwindRegion]] = [:]
    /// Where the rules of each table begin that the programs have.
    private var rulesBlocks: [UnwindTables.ID: UInt32] = [:]
    private var generation: UInt32 = 0
    /// Processes that have asked and wait for leave to ask again.
    private var askers: Set<UInt32> = []
    private var answers = Allowance(perSecond: 100)

    /// The first place of `unwind_tables` stands for none.
    static let mostTables = Int(UNWIND_TABLES) - 1

    /// nil where stacks are walked by frame pointers.
    ///
    /// - Parameters:
    ///   - cache: the directory that keeps tables between runs; nil: none are kept.
    ///   - reading: what reading files may cost.
    ///   - note: takes a line about each table that the kernel has no room for.
    /// - Throws: `BPFError` where the object has no such maps.
    public init?(
        _ object: borrowing LoadedObject, _ mode: StackMode, cache: FilePath?, reading: FileReading,
        note: @escaping (String) -> Void
    ) throws(BPFError) {
        guard mode.unwinds else { return nil }
        let tables = UnwindTables(mostTables: Self.mostTables, cache: cache.map { UnwindCache($0) }, reading: reading)
        try self.init(tables, KernelUnwindMaps(object), note: note)
    }

    init(_ source: any UnwindSource, _ maps: any UnwindMaps, note: @escaping (String) -> Void) throws(BPFError) {
        self.source = source
        self.maps = maps
        self.note = note
        try maps.set(generation: 1)
    }

    /// Reads a process's mappings, and gives the programs what is new of them.
    ///
    /// A process that is gone keeps what it had. Gives whether there was anything new.
    ///
    /// - Throws: `BPFError` where the kernel has no room for the mappings.
    @discardableResult
    public mutating func load(_ pid: UInt32) throws(BPFError) -> Bool {
        guard let regions = try? source.regions(of: Int32(bitPattern: pid)), !regions.isEmpty,
            known[pid] != regions
        else { return false }
        try place(tablesOf: regions)
        generation &+= 1
        let rulesBlocks = rulesBlocks
        let mappings = regions.map { region in unwind_mapping(region) { rulesBlocks[$0] } }
        let pages = UnwindPages(mappings, pid: pid, generation: generation).pages
        // the first page last: it is what makes the others known
        for (number, page) in pages.enumerated().reversed() {
            try maps.set(page: UInt32(number), of: pid, to: page)
        }
        known[pid] = regions
        try maps.forgetParent(of: pid)
        // last: what threads remember is of the mappings before
        try maps.set(generation: UInt64(generation) + 1)
        return true
    }

    /// A stack of this process led to code in no mapping known.
    ///
    /// - Throws: as `load`.
    public mutating func asked(_ pid: UInt32) throws(BPFError) {
        let isNews = try load(pid)
        // Libraries come one after another; a JIT that maps without end must wait.
        if isNews, answers.allows() {
            try maps.allowAsking(pid)
        } else {
            if isNews { delay = Self.delays.lowerBound }
            askers.insert(pid)
        }
    }

    /// Are there processes that may ask again once `rearm` was called?
    public var hasAskers: Bool { !askers.isEmpty }

    /// Seconds until `rearm` is due: it doubles each time that there was nothing new.
    public private(set) var delay = Self.delays.lowerBound
    private static let delays = 0.02...0.64

    /// Lets processes ask again.
    ///
    /// - Throws: as `load`.
    public mutating func rearm() throws(BPFError) {
        guard hasAskers else { return }
        var isNews = false
        for pid in askers {
            if try load(pid) { isNews = true }
            try maps.allowAsking(pid)
        }
        askers = []
        delay = isNews ? Self.delays.lowerBound : min(delay * 2, Self.delays.upperBound)
    }

    /// The process called exec: its mappings are others.
    ///
    /// - Throws: as `load`.
    public mutating func execed(_ pid: UInt32) throws(BPFError) {
        known[pid] = nil
        try load(pid)
    }

    /// The process is gone.
    ///
    /// - Throws: `BPFError` where a map can't be written.
    public mutating func forget(_ pid: UInt32) throws(BPFError) {
        askers.remove(pid)
        try maps.forgetParent(of: pid)
        try maps.allowAsking(pid)
        guard let regions = known.removeValue(forKey: pid) else { return }
        for page in 0..<UnwindPages.count(mappings: regions.count) {
            try maps.remove(page: UInt32(page), of: pid)
        }
    }

    /// For --verbose: what the tables are.
    public var summary: String { source.summary }

    /// Puts tables that are new into the kernel. Code of those that it has no room for is walked by frame pointers.
    private mutating func place(tablesOf regions: [UnwindRegion]) throws(BPFError) {
        var fresh: [(id: UnwindTables.ID, table: UnwindTable)] = []
        for region in regions {
            guard case .table(let id, _) = region.rules, let table = source.take(id) else { continue }
            fresh.append((id, table))
        }
        let refused = try Set(maps.place(fresh))
        for (id, table) in fresh {
            if refused.contains(id) {
                note("no room for the unwind table of a file (\(table.byteCount >> 20) MiB)")
            } else {
                rulesBlocks[id] = table.rulesBlock
            }
        }
    }
}
