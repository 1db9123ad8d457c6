// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Symbols
internal import SystemLayer
internal import SystemPackage

/// The unwind tables of all files in use, each made once.
final class UnwindTables {
    /// Numbers from 1 in the order of making.
    typealias ID = Int

    /// A table that was made.
    struct Known {
        let id: ID
        let start: UInt64
        let length: UInt64
    }

    /// The memory of all tables; files beyond it are walked by frame pointers.
    static let mostBytes = 1 << 29

    private var byIdentity: [SharedFile: Known?] = [:]
    private var vdso: [[UInt8]: Known?] = [:]
    private var images: [ID: ELFImage] = [:]
    /// Tables that nobody has taken yet.
    private var fresh: [ID: UnwindTable] = [:]
    /// Bytes of all tables made.
    private(set) var byteCount = 0
    /// Tables in use.
    private(set) var count = 0
    /// The time spent on making or reading them.
    private(set) var time = Duration.zero
    /// Files left out because of the limits on memory and number.
    private(set) var refused = 0
    /// Tables among them that an earlier run had made.
    private(set) var keptCount = 0
    private let mostTables: Int
    private let cache: UnwindCache?
    private let reading: FileReading

    init(mostTables: Int, cache: UnwindCache? = nil, reading: FileReading = FileReading()) {
        self.reading = reading
        self.mostTables = mostTables
        self.cache = cache
    }

    /// Gives a new table away; nil where it was taken already.
    func take(_ id: ID) -> UnwindTable? { fresh.removeValue(forKey: id) }

    /// How many there are, how large, and how long it took to make them.
    var summary: String {
        let time = time.components
        let milliseconds = time.seconds * 1000 + time.attoseconds / 1_000_000_000_000_000
        return "\(count) unwind tables, \(keptCount) of them kept from earlier runs, "
            + "\(byteCount >> 10) KiB, in \(milliseconds) ms"
    }

    /// What a process has mapped executable, by address.
    ///
    /// - Throws: `.system` once the process is gone.
    func regions(of pid: Int32) throws(SymbolError) -> [UnwindRegion] {
        var found = UnwindRegions()
        var seen: [MappedFile: (Known, ELFImage)] = [:]
        for mapping in try ProcessMaps(pid: pid).mappings where mapping.isExecutable && mapping.end < 1 << 56 {
            if mapping.path == "[uprobes]" {
                found.addTrampoline(mapping)
                continue
            }
            // one that could not be opened may have been unmapped meanwhile: the file's next mapping is tried
            let known = seen[mapping.backing] ?? table(mapping, pid: pid)
            if mapping.kind == .file { seen[mapping.backing] = known }
            if let (known, image) = known {
                found.add(mapping, known, image)
            } else {
                found.addWithoutTable(mapping)
            }
        }
        return found.regions
    }

    private func table(_ mapping: Mapping, pid: Int32) -> (Known, ELFImage)? {
        switch mapping.kind {
        case .file: fileTable(mapping, pid: pid)
        case .vdso: vdsoTable(mapping, pid: pid)
        default: nil
        }
    }

    private func withImage(_ known: Known?) -> (Known, ELFImage)? {
        guard let known, let image = images[known.id] else { return nil }
        return (known, image)
    }

    private func fileTable(_ mapping: Mapping, pid: Int32) -> (Known, ELFImage)? {
        do throws(SymbolError) {
            guard let file = try ModuleCache.open(mapping, pid: pid, reading), let status = try? file.status() else {
                return nil
            }
            let identity = SharedFile(status, pid: pid)
            if let known = byIdentity[identity] { return withImage(known) }
            let made = try make(mapping, pid, file, status)
            byIdentity[identity] = .some(made)
            return withImage(made)
        } catch {
            reading.omit(mapping.path, .unwinding, error)
            return nil
        }
    }

    /// nil where the file has no call-frame information, or is no ELF file.
    private func make(
        _ mapping: Mapping, _ pid: Int32, _ file: consuming OpenFile, _ status: stat
    ) throws(SymbolError) -> Known? {
        var held: OpenFile? = consume file
        do throws(SymbolError) {
            return try reading.timed(FileIdentity(status)) { () throws(SymbolError) -> Known? in
                guard let file = held.take() else { return nil }
                let elf = try ELFFile(file, path: mapping.rootPath(pid: pid), reading)
                let image = try elf.image()
                let key = cache == nil ? nil : UnwindCache.Key(image, status, path: mapping.path)
                return try make(elf, image, key)
            }
        } catch {
            guard case .leftOut(_, let reason) = error, reason == .time else {
                reading.omit(mapping.path, .unwinding, error)
                return nil
            }
            throw error
        }
    }

    private func vdsoTable(_ mapping: Mapping, pid: Int32) -> (Known, ELFImage)? {
        guard mapping.end - mapping.start <= 1 << 16, let bytes = ModuleCache.memory(mapping, pid: pid) else {
            return nil
        }
        if let known = vdso[bytes] { return withImage(known) }
        guard vdso.count < 16 else { return nil }
        var made: Known?
        let maker = FileOwner(vdso: bytes, of: pid)
        if let elf = try? ELFFile(bytes: bytes, name: "[vdso]", reading, madeBy: maker), let image = try? elf.image() {
            made = try? make(elf, image, nil)
        }
        vdso[bytes] = .some(made)
        return withImage(made)
    }

    private func make(
        _ file: borrowing ELFFile, _ image: ELFImage, _ key: UnwindCache.Key?
    ) throws(SymbolError) -> Known? {
        guard count < mostTables, byteCount < Self.mostBytes else {
            refused += 1
            throw .leftOut(path: file.path.description, reason: .memory)
        }
        let begun = ContinuousClock.now
        defer { time += begun.duration(to: .now) }
        let kept = key.flatMap { cache?.table($0) }
        let table: UnwindTable
        if let kept { table = kept } else { table = try UnwindTable.made(file, image) }
        if kept != nil {
            keptCount += 1
        } else if let key {
            cache?.store(table, key)
        }
        guard byteCount + table.byteCount <= Self.mostBytes else {
            refused += 1
            throw .leftOut(path: file.path.description, reason: .memory)
        }
        count += 1
        byteCount += table.byteCount
        fresh[count] = table
        images[count] = image
        return Known(id: count, start: table.start, length: table.length)
    }
}
