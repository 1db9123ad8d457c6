// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer
internal import SystemPackage

/// What is known of one process: its mappings, the tables of its files, the names its JIT wrote down.
final class TracedProcess {
    /// Where an address lies.
    enum Place {
        case module(ModuleTable, path: FilePath, address: UInt64)
        case generated(name: String, offset: UInt64, path: FilePath)
        /// - Parameter offset: in the file, whose headers can't be read; nil: there is no file.
        case unnamed(FilePath, offset: UInt64?)
    }

    /// A dictionary holds no handles themselves.
    private final class HeldFile {
        private var file: OpenFile?

        init(_ file: consuming OpenFile) { self.file = consume file }

        func take() -> OpenFile? { file.take() }
    }

    /// /proc isn't read again sooner, however many addresses have no mapping.
    private static let refreshInterval = Duration.milliseconds(100)
    private static let replacementInterval = Duration.seconds(1)
    /// Files of one process that are kept open.
    private static let mostHeld = 256

    let pid: Int32
    /// Names that its compiler wrote down.
    let names: NameDemangler
    var lastUse: UInt64 = 0
    private let modules: ModuleCache
    private let reading: FileReading
    private var maps = ProcessMaps([])
    /// Mappings of earlier readings that nothing has replaced: libraries since unloaded, whose callers may be asked for.
    private var departed = ProcessMaps([])
    /// Nil for a file that can't be read.
    private var known: [MappedFile: ModuleTable?] = [:]
    /// Files opened while the process was there, whose tables are not read yet.
    private var held: [MappedFile: HeldFile] = [:]
    private let perfMap: PerfMapFile
    private var startTime: UInt64?
    private var refreshed: ContinuousClock.Instant?
    private var checked = ContinuousClock.now

    init(_ pid: Int32, _ modules: ModuleCache, _ reading: FileReading) {
        self.pid = pid
        self.modules = modules
        self.reading = reading
        perfMap = PerfMapFile(pid: pid, reading)
        names = NameDemangler(reading, FilePath("/tmp/perf-\(pid).map"), .user(ProcessFiles(pid).owner ?? .max))
        startTime = Self.startTime(pid)
    }

    /// Nothing is mapped, or nothing could be read.
    var isEmpty: Bool { maps.mappings.isEmpty }

    var tables: [ModuleTable] { known.values.compactMap { $0 } }

    /// Reads the mappings again.
    ///
    /// - Throws: `.system` once the process is gone. What was known stays.
    func refresh() throws(SymbolError) {
        refreshed = .now
        let fresh = try ProcessMaps(pid: pid)
        // A zombie's list is empty: that is no reason to forget.
        guard !fresh.mappings.isEmpty else { return }
        let gone = (maps.mappings + departed.mappings).filter { old in
            guard old.isExecutable else { return false }
            let after = fresh.mappings.partitionPoint { $0.end > old.start }
            return after == fresh.mappings.endIndex || fresh.mappings[after].start >= old.end
        }
        // A process that maps and unmaps code without end would fill memory.
        departed = ProcessMaps(Array(gone.prefix(4096)))
        maps = fresh
    }

    /// Opens each file mapped executable, so that its table can be read when the process has gone.
    func holdModules() {
        for mapping in maps.mappings where mapping.isExecutable {
            guard mapping.kind == .file else {
                // in the process's memory: it can't wait
                _ = table(mapping)
                continue
            }
            let key = mapping.backing
            guard known[key] == nil, held[key] == nil, held.count < Self.mostHeld,
                let file = try? ModuleCache.open(mapping, pid: pid, reading)
            else { continue }
            held[key] = HeldFile(file)
        }
    }

    /// Reads the table of each file mapped executable.
    func loadModules() {
        for mapping in maps.mappings where mapping.isExecutable { _ = table(mapping) }
        loadPerfMap()
    }

    /// True when the number now belongs to another process. Asked of the kernel once a second, or now.
    func wasReplaced(now: Bool = false) -> Bool {
        guard now || checked.duration(to: .now) >= Self.replacementInterval else { return false }
        checked = .now
        guard let current = Self.startTime(pid), let startTime else { return false }
        return current != startTime
    }

    func place(_ address: UInt64) -> Place? {
        if let mapping = mapping(address) { return place(address, in: mapping) }
        return perfMapPlace(address, path: "[jit]")
    }

    private func mapping(_ address: UInt64) -> Mapping? {
        if let mapping = maps.mapping(containing: address) { return mapping }
        if refreshed.map({ $0.duration(to: .now) >= Self.refreshInterval }) ?? true {
            try? refresh()
            if let mapping = maps.mapping(containing: address) { return mapping }
        }
        return departed.mapping(containing: address)
    }

    private func place(_ address: UInt64, in mapping: Mapping) -> Place {
        if let table = table(mapping), let moduleAddress = moduleAddress(address, mapping, table) {
            return .module(table, path: mapping.path, address: moduleAddress)
        }
        let path: FilePath = mapping.kind == .anonymous ? "[anon]" : mapping.path
        let offset = mapping.kind == .file ? address - mapping.start &+ mapping.fileOffset : nil
        return perfMapPlace(address, path: path) ?? .unnamed(path, offset: offset)
    }

    private func moduleAddress(_ address: UInt64, _ mapping: Mapping, _ table: ModuleTable) -> UInt64? {
        table.symbols.image.address(fileOffset: address - mapping.start &+ mapping.fileOffset)
    }

    private func table(_ mapping: Mapping) -> ModuleTable? {
        guard mapping.kind == .file || mapping.kind == .vdso else { return nil }
        let key = mapping.backing
        if let table = known[key] { return table }
        // the run is about to end, and its last report is to have names
        if FileReading.isInterrupted { return nil }
        let table =
            mapping.kind == .vdso
            ? modules.vdsoTable(mapping, pid: pid)
            : modules.table(mapping, pid: pid, file: held.removeValue(forKey: key)?.take())
        if table != nil || !FileReading.isInterrupted { known[key] = .some(table) }
        return table
    }

    private func perfMapPlace(_ address: UInt64, path: FilePath) -> Place? {
        if let found = perfMap.symbol(address: address) {
            return .generated(name: found.name, offset: found.offset, path: path)
        }
        guard perfMap.isDue else { return nil }
        loadPerfMap()
        return perfMap.symbol(address: address).map { .generated(name: $0.name, offset: $0.offset, path: path) }
    }

    private func loadPerfMap() { perfMap.load() }

    /// In clock ticks since boot: with the number, it tells a process from its successor.
    static func startTime(_ pid: Int32) -> UInt64? { ProcessFiles(pid).stat?.startTicks }
}
