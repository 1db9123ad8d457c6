// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Reports
internal import SystemLayer
internal import TraceRecords

/// Reads what growth's programs keep.
struct GrowthReader {
    private let spaces: BPFMap<UInt64, growth_space>
    private let ended: BPFMap<growth_space_key, growth_space>
    private let sites: BPFMap<growth_site_key, growth_site>
    private let chunks: BPFMap<growth_chunk_key, growth_chunk>
    private let counters: PerCPUMap<UInt32, growth_counters>
    /// Sites with pages that were moved nobody knows where to.
    private var lostTrack: Set<UInt32> = []
    private var stacks: StackTable<stack_record, CapturedStack>
    /// A report does not take longer than this for a look at pages.
    private static let lookNanoseconds: UInt64 = 2_000_000_000

    /// - Throws: `BPFError` where the object has no such maps.
    init(_ object: borrowing LoadedObject) throws(BPFError) {
        spaces = try object.map("spaces")
        ended = try object.map("ended")
        sites = try object.map("sites")
        chunks = try object.map("chunks")
        counters = try object.perCPUMap("counters")
        stacks = StackTable(try object.map("stacks")) { CapturedStack($0) }
    }

    /// Every address space that was seen, and the names of those that are gone.
    struct Spaces {
        var sums = GrowthSums()
        var names: [UInt32: String] = [:]
        /// Those that are there, with the pages that each has lost.
        var lost: [GrowthSpaceID: Int64] = [:]
        var living: Set<GrowthSpaceID> { Set(lost.keys) }
    }

    /// - Throws: `BPFError` where the maps can't be read.
    func readSpaces() throws(BPFError) -> Spaces {
        var result = Spaces()
        try ended.forEach { _, record in
            let space = GrowthSpace(record)
            result.sums += space.sums
            result.names[space.id.pid] = space.comm
        }
        try spaces.forEach { _, record in
            let space = GrowthSpace(record)
            result.sums += space.sums
            result.names[space.id.pid] = space.comm
            result.lost[space.id] = space.sums.lost
        }
        return result
    }

    func readSites() throws(BPFError) -> [GrowthSite] {
        var result: [GrowthSite] = []
        try sites.forEach { key, site in result.append(GrowthSite(key, site)) }
        return result
    }

    /// A stack; nil where it was lost.
    mutating func stack(_ hash: UInt64) throws(BPFError) -> CapturedStack? { try stacks.stack(hash) }

    /// Makes room for stacks that are new.
    mutating func makeRoom() throws(BPFError) {
        let count = try counters.values(for: 0)?.reduce(0) { $0 &+ $1.stacks } ?? 0
        try stacks.makeRoom(count)
    }

    // MARK: which pages are resident

    /// mremap moves pages, and with them goes what is noted of them, where they are found. Where there is something
    /// at the new address already it was noted later.
    ///
    /// - Throws: `BPFError` where the map can't be read or written.
    mutating func take(_ move: GrowthMove) throws(BPFError) {
        let noted = try takeOut(move)
        guard !noted.isEmpty else { return }
        let page = UInt64(pageBytes)
        let target = move.targets(pageBytes: page).first { Self.arePresent(noted.keys, from: $0 / page, move) }
        guard let target else {
            lostTrack.formUnion(noted.values)
            return
        }
        var pages: [UInt64: UInt32] = [:]
        for (index, id) in noted { pages[target / page &+ index] = id }
        try note(pages, of: move.space)
    }

    /// Notes whose pages are, where nothing is noted.
    private func note(_ pages: [UInt64: UInt32], of space: GrowthSpaceID) throws(BPFError) {
        let size = UInt64(GROWTH_CHUNK)
        for (number, pages) in Dictionary(grouping: pages, by: { $0.key / size }) {
            let key = growth_chunk_key(number: number, pid: space.pid, serial: space.serial)
            var chunk = try chunks.value(for: key) ?? growth_chunk()
            var ids = Self.ids(chunk)
            for (page, id) in pages where ids[Int(page % size)] == 0 { ids[Int(page % size)] = id }
            Self.put(ids, into: &chunk)
            try chunks.set(key, to: chunk)
        }
    }

    /// Takes out what is noted of the pages that are moved: whose they are, by their number among those.
    private func takeOut(_ move: GrowthMove) throws(BPFError) -> [UInt64: UInt32] {
        let page = UInt64(pageBytes), size = UInt64(GROWTH_CHUNK)
        let first = move.from / page, end = first &+ move.length / page
        var noted: [UInt64: UInt32] = [:]
        // of chunks at both ends, which are put aside whole
        var others: [UInt64: UInt32] = [:]
        for number in stride(from: first / size, to: (end &+ size - 1) / size, by: 1) {
            let key = growth_chunk_key(number: number, pid: move.space.pid, serial: move.parked)
            guard let chunk = try chunks.value(for: key) else { continue }
            for (index, id) in Self.ids(chunk).enumerated() where id != 0 {
                let place = number &* size &+ UInt64(index)
                if place >= first, place < end { noted[place - first] = id } else { others[place] = id }
            }
            try chunks.remove(key)
        }
        try note(others, of: move.space)
        return noted
    }

    /// Are pages resident, or in swap, where they should have been moved to? The file can't be read while mremap works.
    private static func arePresent(_ pages: some Sequence<UInt64>, from first: UInt64, _ move: GrowthMove) -> Bool {
        do throws(FileError) {
            let count = min(move.length / UInt64(pageBytes), mostMoved)
            let file = try OpenFile(reading: ProcessFiles(move.space.pid).path("pagemap"))
            let words = words(try file.read(at: first &* 8, count: Int(count) * 8))
            return pages.allSatisfy { $0 < words.count && words[Int($0)] >> 62 != 0 }
        } catch {
            return false
        }
    }

    /// 4 GiB of 4 KiB pages.
    private static let mostMoved: UInt64 = 1 << 20

    private static func put(_ ids: [UInt32], into chunk: inout growth_chunk) {
        // SAFETY: the field is an array of as many 32-bit words.
        withUnsafeMutableBytes(of: &chunk.ids) { field in ids.withUnsafeBytes { field.copyBytes(from: $0) } }
    }

    /// Looks at the pages that were noted of address spaces that are there. What there is no time for is not known.
    ///
    /// - Throws: `BPFError` where the map can't be read.
    func look(_ living: Set<GrowthSpaceID>) throws(BPFError) -> GrowthResidency {
        var noted: [GrowthSpaceID: [(number: UInt64, chunk: growth_chunk)]] = [:]
        try chunks.forEach { key, chunk in
            let space = GrowthSpaceID(pid: key.pid, serial: key.serial)
            // pages of an address space that is gone are not resident
            if living.contains(space) { noted[space, default: []].append((key.number, chunk)) }
        }
        var residency = GrowthResidency()
        residency.take(Array(lostTrack), nil)
        let end = monotonicNow() &+ Self.lookNanoseconds
        // largest first
        for (space, chunks) in noted.sorted(by: { $0.value.count > $1.value.count }) {
            Self.look(space.pid, chunks, until: end, &residency)
        }
        return residency
    }

    private static func look(
        _ pid: UInt32, _ chunks: [(number: UInt64, chunk: growth_chunk)], until end: UInt64,
        _ residency: inout GrowthResidency
    ) {
        let count = Int(GROWTH_CHUNK)
        do throws(FileError) {
            let file = try OpenFile(reading: ProcessFiles(pid).path("pagemap"))
            for entry in chunks {
                let ids = ids(entry.chunk)
                guard monotonicNow() < end else {
                    residency.take(ids, nil)
                    continue
                }
                let bytes = try file.read(at: entry.number &* UInt64(count * 8), count: count * 8)
                residency.take(ids, words(bytes))
            }
        } catch {
            // gone meanwhile, or another user's: not looked at
            for entry in chunks { residency.take(ids(entry.chunk), nil) }
        }
    }

    private static func ids(_ chunk: growth_chunk) -> [UInt32] {
        // SAFETY: the field is an array of 32-bit words, which is what is read.
        withUnsafeBytes(of: chunk.ids) { Array($0.bindMemory(to: UInt32.self)) }
    }

    private static func words(_ bytes: [UInt8]) -> [UInt64] {
        // SAFETY: whole words alone are read, from where they lie.
        bytes.withUnsafeBytes { buffer in
            (0..<buffer.count / 8).map { buffer.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
        }
    }
}
