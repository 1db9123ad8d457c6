// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import SystemLayer
internal import TraceRecords

/// The maps of BPF/unwind/maps.h, as far as user space writes them. Tests have maps without a kernel.
protocol UnwindMaps {
    /// Puts tables into places by their numbers, all at once; gives those that there was no room for.
    func place(_ tables: [(id: UnwindTables.ID, table: UnwindTable)]) throws(BPFError) -> [UnwindTables.ID]

    func set(page number: UInt32, of pid: UInt32, to page: unwind_page) throws(BPFError)
    func remove(page number: UInt32, of pid: UInt32) throws(BPFError)

    /// The process has mappings of its own from now on, not its parent's.
    func forgetParent(of pid: UInt32) throws(BPFError)
    /// The process may tell again that it has code in no mapping known.
    func allowAsking(_ pid: UInt32) throws(BPFError)

    /// What threads remember of any mappings is void. Never 0.
    func set(generation: UInt64) throws(BPFError)
}

/// Names of the maps in BPF/unwind/maps.h.
enum UnwindMapName {
    static let tables = "unwind_tables"
    static let pages = "unwind_pages"
    static let parents = "unwind_parents"
    static let wanted = "unwind_wanted"
    static let generation = "unwind_generation"
}

/// The maps of a loaded object.
struct KernelUnwindMaps: UnwindMaps {
    private let tables: MapOfMaps
    private let pages: BPFMap<unwind_page_key, unwind_page>
    private let parents: BPFMap<UInt32, UInt32>
    private let wanted: BPFMap<UInt32, UInt64>
    private let generations: BPFMap<UInt32, UInt64>

    init(_ object: borrowing LoadedObject) throws(BPFError) {
        tables = try object.mapOfMaps(UnwindMapName.tables)
        pages = try object.map(UnwindMapName.pages)
        parents = try object.map(UnwindMapName.parents)
        wanted = try object.map(UnwindMapName.wanted)
        generations = try object.map(UnwindMapName.generation)
    }

    func place(_ tables: [(id: UnwindTables.ID, table: UnwindTable)]) throws(BPFError) -> [UnwindTables.ID] {
        var arrays: [(place: UInt32, map: BPFMap<UInt32, unwind_block>)] = []
        var refused: [UnwindTables.ID] = []
        for (id, table) in tables {
            do throws(BPFError) {
                let bytes = table.words.span.bytes
                let array = try BPFMap<UInt32, unwind_block>.create(
                    .array, name: "unwind_blocks", maxEntries: bytes.byteCount / MemoryLayout<unwind_block>.size,
                    options: .innerMap)
                try array.fill(with: bytes)
                arrays.append((UInt32(id), array))
            } catch {
                refused.append(id)
            }
        }
        try self.tables.set(arrays)
        return refused
    }

    func set(page number: UInt32, of pid: UInt32, to page: unwind_page) throws(BPFError) {
        try pages.set(unwind_page_key(pid: pid, page: number), to: page)
    }

    func remove(page number: UInt32, of pid: UInt32) throws(BPFError) {
        try pages.remove(unwind_page_key(pid: pid, page: number))
    }

    func forgetParent(of pid: UInt32) throws(BPFError) { try parents.remove(pid) }

    func allowAsking(_ pid: UInt32) throws(BPFError) { try wanted.remove(pid) }

    func set(generation: UInt64) throws(BPFError) { try generations.set(0, to: generation) }
}
