// SPDX-License-Identifier: Apache-2.0
public import Symbols

/// Executable memory of a process and how its frames are unwound.
public struct UnwindRegion: Hashable, Sendable {
    public enum Rules: Hashable, Sendable {
        /// By a table; `offset` is where in its text the region begins.
        case table(UnwindTables.ID, offset: UInt32)
        /// By frame pointers: a JIT's code, or a file without call-frame information.
        case framePointers
        /// Not at all: the kernel's own trampoline.
        case none
    }

    public let start: UInt64
    public let end: UInt64
    public let rules: Rules
}

/// The unwind tables of all files in use, each made once.
public final class UnwindTables {
    /// Numbers from 1 in the order of making.
    public typealias ID = Int

    private struct Known {
        let id: ID
        let start: UInt64
        let length: UInt64
    }

    /// Headers and size count too, lest a file with a borrowed build-id lends its rules to another's processes.
    private struct Content: Hashable {
        let image: ELFImage
        let size: Int64
    }

    /// All tables together take no more memory; files beyond it are walked by frame pointers.
    static let mostBytes = 1 << 29
    /// Nor is more time spent on them.
    static let mostTime = Duration.seconds(60)

    private var byIdentity: [FileIdentity: Known?] = [:]
    private var byContent: [Content: Known] = [:]
    private var vdso: [[UInt8]: Known?] = [:]
    private var fresh: [ID: UnwindTable] = [:]
    /// Bytes of all tables made.
    public private(set) var byteCount = 0
    /// Tables in use.
    public private(set) var count = 0
    /// Spent on making or reading them.
    public private(set) var time = Duration.zero
    /// Files left out because of the limits, or of more than `mostTables`.
    public private(set) var refused = 0
    /// What was wrong with files' information, in sum.
    public private(set) var flaws = UnwindTable.Flaws()
    /// Of those, tables that an earlier run had made.
    public private(set) var keptCount = 0
    private let mostTables: Int
    private let cache: UnwindCache?

    public init(mostTables: Int, cache: UnwindCache? = nil) {
        self.mostTables = mostTables
        self.cache = cache
    }

    /// Gives a new table away; nil where it was taken already.
    public func take(_ id: ID) -> UnwindTable? { fresh.removeValue(forKey: id) }

    /// What a process has mapped executable, by address.
    ///
    /// Throws `.system` once the process is gone.
    public func regions(of pid: Int32) throws(SymbolError) -> [UnwindRegion] {
        var regions: [UnwindRegion] = []
        for mapping in try ProcessMaps(pid: pid).mappings where mapping.isExecutable && mapping.end < 1 << 56 {
            if mapping.path == "[uprobes]" {
                regions.append(UnwindRegion(start: mapping.start, end: mapping.end, rules: .none))
            } else if let (known, image) = table(mapping, pid: pid) {
                append(mapping, known, image, to: &regions)
            } else {
                append(UnwindRegion(start: mapping.start, end: mapping.end, rules: .framePointers), to: &regions)
            }
        }
        return regions
    }

    /// A JIT may have thousands of mappings, one behind the other.
    private func append(_ region: UnwindRegion, to regions: inout [UnwindRegion]) {
        if let last = regions.last, last.end == region.start, last.rules == region.rules, region.rules == .framePointers
        {
            regions[regions.count - 1] = UnwindRegion(start: last.start, end: region.end, rules: .framePointers)
        } else {
            regions.append(region)
        }
    }

    /// The parts of a mapping that hold the file's executable segments.
    private func append(_ mapping: Mapping, _ known: Known, _ image: ELFImage, to regions: inout [UnwindRegion]) {
        var position = mapping.start
        for segment in image.segments where segment.isExecutable && segment.fileSize > 0 {
            // The kernel maps whole pages.
            let skew = segment.fileOffset & 4095
            guard segment.address >= skew else { continue }
            let (fileStart, linked) = (segment.fileOffset - skew, segment.address - skew)
            let mapped = mapping.end - mapping.start
            let low = max(fileStart, mapping.fileOffset)
            let high = min(
                segment.fileOffset.addingSaturated(segment.fileSize).addingSaturated(4095) & ~4095,
                mapping.fileOffset.addingSaturated(mapped))
            guard low < high else { continue }
            let start = max(position, mapping.start + (low - mapping.fileOffset))
            let end = mapping.start + (high - mapping.fileOffset)
            let address = linked.addingSaturated(start - mapping.start + mapping.fileOffset - fileStart)
            guard start < end, address >= known.start, address - known.start < known.length else { continue }
            let offset = address - known.start
            regions.append(
                UnwindRegion(
                    start: start, end: min(end, start + (known.length - offset)),
                    rules: .table(known.id, offset: UInt32(offset))))
            position = end
        }
    }

    private func table(_ mapping: Mapping, pid: Int32) -> (Known, ELFImage)? {
        switch mapping.kind {
        case .file: fileTable(mapping, pid: pid)
        case .vdso: vdsoTable(mapping, pid: pid)
        default: nil
        }
    }

    private var images: [ID: ELFImage] = [:]

    private func withImage(_ known: Known?) -> (Known, ELFImage)? {
        guard let known, let image = images[known.id] else { return nil }
        return (known, image)
    }

    private func fileTable(_ mapping: Mapping, pid: Int32) -> (Known, ELFImage)? {
        guard let file = ModuleCache.open(mapping, pid: pid), let status = try? file.status() else { return nil }
        let identity = FileIdentity(status)
        if let known = byIdentity[identity] { return withImage(known) }
        var made: Known?
        if let elf = try? ELFFile(file, path: mapping.rootPath(pid: pid)), let image = try? elf.image() {
            let content = image.buildID.map { _ in Content(image: image, size: identity.size) }
            made =
                content.flatMap { byContent[$0] }
                ?? make(elf, image, cache == nil ? nil : UnwindCache.Key(image, status, path: mapping.path))
            if let content, let made { byContent[content] = made }
        }
        byIdentity[identity] = .some(made)
        return withImage(made)
    }

    private func vdsoTable(_ mapping: Mapping, pid: Int32) -> (Known, ELFImage)? {
        guard mapping.end - mapping.start <= 1 << 16, let bytes = ModuleCache.memory(mapping, pid: pid) else {
            return nil
        }
        if let known = vdso[bytes] { return withImage(known) }
        guard vdso.count < 16 else { return nil }
        var made: Known?
        if let elf = try? ELFFile(bytes: bytes, name: "[vdso]"), let image = try? elf.image() {
            made = make(elf, image, nil)
        }
        vdso[bytes] = .some(made)
        return withImage(made)
    }

    private func make(_ file: borrowing ELFFile, _ image: ELFImage, _ key: UnwindCache.Key?) -> Known? {
        guard count < mostTables, byteCount < Self.mostBytes, time < Self.mostTime else {
            refused += 1
            return nil
        }
        let begun = ContinuousClock.now
        defer { time += begun.duration(to: .now) }
        let kept = key.flatMap { cache?.table($0) }
        guard let table = kept ?? (try? UnwindTable(file, image)) else { return nil }
        if kept != nil {
            keptCount += 1
        } else if let key {
            cache?.store(table, key)
        }
        guard byteCount + table.byteCount <= Self.mostBytes else {
            refused += 1
            return nil
        }
        count += 1
        byteCount += table.byteCount
        flaws.unreadable += table.flaws.unreadable
        flaws.overlapping += table.flaws.overlapping
        flaws.unnumbered += table.flaws.unnumbered
        fresh[count] = table
        images[count] = image
        return Known(id: count, start: table.start, length: table.length)
    }
}

extension UInt64 {
    fileprivate func addingSaturated(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
