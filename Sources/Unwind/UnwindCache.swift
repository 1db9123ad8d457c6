// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Symbols

/// Unwind tables of earlier runs, in a directory of this user's own.
///
/// Nothing in it is trusted beyond its owner: the directory and each file must belong to the effective user and be
/// writable by nobody else, and what is read must have the right length and checksum and belong to the very file asked
/// for. What doesn't is as good as missing; the table is made anew and put in its place.
public struct UnwindCache: Sendable {
    /// Which table: of a file with a build-id, as its owner has it.
    ///
    /// The owner, because who can write a file can give it any build-id: what is made of it is for files of that owner only.
    struct Key: Hashable, Sendable {
        let image: ELFImage
        let buildID: BuildID
        let size: Int64
        let modified: UInt64
        let owner: UInt32

        /// nil for a file that isn't kept: without a build-id, writable by more than its owner, or not the one that
        /// its path leads to here (a container's, whose users are others).
        init?(_ image: ELFImage, _ status: stat, path: BytePath) {
            guard let buildID = image.buildID, status.st_mode & 0o022 == 0 else { return nil }
            var here = stat()
            guard path.withCString({ stat($0, &here) }) == 0, here.st_dev == status.st_dev,
                here.st_ino == status.st_ino
            else { return nil }
            self.image = image
            self.buildID = buildID
            size = Int64(status.st_size)
            modified =
                UInt64(bitPattern: Int64(status.st_mtim.tv_sec)) &* 1_000_000_000 &+ UInt64(status.st_mtim.tv_nsec)
            owner = status.st_uid
        }

        var name: BytePath { BytePath("\(buildID)-\(owner)-\(size)") }

        /// All of it, as numbers.
        fileprivate var words: [UInt64] {
            var words: [UInt64] = [
                UInt64(bitPattern: size), modified, UInt64(owner), UInt64(image.machine), image.isFixed ? 1 : 0,
            ]
            for segment in image.segments {
                words += [segment.fileOffset, segment.address, segment.fileSize, segment.isExecutable ? 1 : 0]
            }
            return words + buildID.bytes.map { UInt64($0) }
        }
    }

    /// To be raised with the format of tables (TraceRecords/unwind_table.h) or of these files.
    static let version: UInt64 = 1
    private static let magic = UInt64(0x6c62_6174_6477_6e75)  // "unwdtabl"
    /// The files in the directory are kept below this; the longest unused go first.
    static let mostBytes: Int64 = 256 << 20
    static let mostFiles = 4096

    let directory: BytePath
    private let mostBytes: Int64
    /// Which build of this program made a table: another may make it otherwise.
    private let maker: [UInt64]

    /// `SWIFTMEM_UNWIND_CACHE`, else `/var/cache/swiftmem/unwind`; nil where that is empty.
    public static var standard: UnwindCache? {
        guard let wanted = getenv("SWIFTMEM_UNWIND_CACHE") else {
            return UnwindCache(BytePath("/var/cache/swiftmem/unwind"))
        }
        let path = String(cString: wanted)
        return path.hasPrefix("/") ? UnwindCache(BytePath(path)) : nil
    }

    init(_ directory: BytePath, mostBytes: Int64 = Self.mostBytes) {
        self.directory = directory
        self.mostBytes = mostBytes
        var own = stat()
        maker =
            stat("/proc/self/exe", &own) == 0
            ? [
                UInt64(bitPattern: Int64(own.st_size)), UInt64(bitPattern: Int64(own.st_mtim.tv_sec)),
                UInt64(own.st_mtim.tv_nsec),
            ]
            : []
    }

    // MARK: the directory

    private static func isOwn(_ status: stat, _ type: UInt32) -> Bool {
        status.st_mode & S_IFMT == type && status.st_uid == geteuid() && status.st_mode & 0o022 == 0
    }

    /// The directory, made where it is missing and `creating`; nil where it is not this user's alone.
    private func open(creating: Bool) -> Descriptor? {
        if creating {
            let parent = directory.directory
            for path in [parent, directory] { _ = path.withCString { mkdir($0, 0o700) } }
        }
        let raw = directory.withCString { Glibc.open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        guard let descriptor = Descriptor(raw), let status = descriptor.status(), Self.isOwn(status, S_IFDIR) else {
            return nil
        }
        return descriptor
    }

    // MARK: reading

    func table(_ key: Key) -> UnwindTable? {
        guard let place = open(creating: false) else { return nil }
        let raw = key.name.withCString { openat(place.raw, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        guard let file = Descriptor(raw), let status = file.status(), Self.isOwn(status, S_IFREG),
            status.st_size >= Header.bytes, status.st_size <= Header.bytes + UnwindTables.mostBytes
        else { return nil }
        var header = Header()
        let count = (Int(status.st_size) - Header.bytes) / 4
        guard Int(status.st_size) == Header.bytes + count * 4,
            withUnsafeMutableBytes(of: &header, { file.fill($0, from: 0) })
        else { return nil }
        var isWhole = false
        let words = [UInt32](unsafeUninitializedCapacity: count) { buffer, filled in
            isWhole = file.fill(UnsafeMutableRawBufferPointer(buffer), from: Header.bytes)
            // what was not read is of no use, and not read either
            filled = isWhole ? count : 0
        }
        guard isWhole, header.magic == Self.magic, header.version == Self.version,
            header.key == Self.checksum(key.words + maker), header.checksum == header.sum(words),
            let table = UnwindTable(header, words)
        else { return nil }
        // for the next eviction
        _ = futimens(file.raw, nil)
        return table
    }

    // MARK: writing

    /// Keeps a table; where that can't be, nothing happens.
    func store(_ table: UnwindTable, _ key: Key) {
        guard let place = open(creating: true), Int64(table.byteCount) < mostBytes / 2 else { return }
        var header = Header(table)
        header.magic = Self.magic
        header.version = Self.version
        header.key = Self.checksum(key.words + maker)
        header.checksum = header.sum(table.words)
        let temporary = BytePath("new-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        let raw = temporary.withCString {
            openat(place.raw, $0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        }
        guard let file = Descriptor(raw) else { return }
        let isWritten =
            withUnsafeBytes(of: &header, { file.write($0) }) && table.words.withUnsafeBytes { file.write($0) }
        let isThere =
            isWritten
            && temporary.withCString { from in key.name.withCString { renameat(place.raw, from, place.raw, $0) } } == 0
        if !isThere { _ = temporary.withCString { unlinkat(place.raw, $0, 0) } }
        evict(place)
    }

    /// Removes the longest unused until the rest is within bounds.
    private func evict(_ place: borrowing Descriptor) {
        // the stream closes its descriptor, and moves it
        let again = openat(place.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard again >= 0, let stream = fdopendir(again) else { return }
        defer { closedir(stream) }
        var files: [(name: BytePath, size: Int64, used: Int64)] = []
        while let entry = readdir(stream) {
            // SAFETY: readdir's name ends with a NUL, within the entry.
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { BytePath(String(cString: $0)) }
            }
            var status = stat()
            guard name.withCString({ fstatat(place.raw, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0,
                status.st_mode & S_IFMT == S_IFREG
            else { continue }
            files.append(
                (
                    name, Int64(status.st_size),
                    Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
                ))
        }
        var total = files.reduce(0) { $0 + $1.size }
        var count = files.count
        for file in files.sorted(by: { $0.used < $1.used }) {
            guard total > mostBytes || count > Self.mostFiles else { break }
            if file.name.withCString({ unlinkat(place.raw, $0, 0) }) == 0 {
                total -= file.size
                count -= 1
            }
        }
    }

    fileprivate static func checksum(_ words: some Sequence<UInt64>, from seed: UInt64 = magic) -> UInt64 {
        var sum = seed
        for word in words {
            sum = (sum ^ word) &* 0x9e37_79b9_7f4a_7c15
            sum ^= sum >> 32
        }
        return sum
    }

    /// What stands before a table's words.
    struct Header {
        static let bytes = MemoryLayout<Header>.size
        var magic: UInt64 = 0
        var version: UInt64 = 0
        var key: UInt64 = 0
        var checksum: UInt64 = 0
        var start: UInt64 = 0
        var length: UInt64 = 0
        var rulesBlock: UInt64 = 0
        var rules: UInt64 = 0
        var rows: UInt64 = 0
        var unreadable: UInt64 = 0
        var overlapping: UInt64 = 0
        var unnumbered: UInt64 = 0

        init() {}

        init(_ table: UnwindTable) {
            start = table.start
            length = table.length
            rulesBlock = UInt64(table.rulesBlock)
            rules = UInt64(table.ruleCount)
            rows = UInt64(table.rowCount)
            unreadable = table.flaws.unreadable
            overlapping = table.flaws.overlapping
            unnumbered = table.flaws.unnumbered
        }

        /// Over all but itself.
        func sum(_ words: [UInt32]) -> UInt64 {
            let own = [
                magic, version, key, start, length, rulesBlock, rules, rows, unreadable, overlapping, unnumbered,
            ]
            let first = UnwindCache.checksum(own, from: UInt64(words.count))
            return words.withUnsafeBufferPointer { words in
                var sum = first
                for word in words {
                    sum = (sum ^ UInt64(word)) &* 0x9e37_79b9_7f4a_7c15
                    sum ^= sum >> 32
                }
                return sum
            }
        }
    }
}

/// Owner of a descriptor.
private struct Descriptor: ~Copyable {
    let raw: Int32

    init?(_ raw: Int32) {
        guard raw >= 0 else { return nil }
        self.raw = raw
    }

    deinit { close(raw) }

    func status() -> stat? {
        var status = stat()
        return fstat(raw, &status) == 0 ? status : nil
    }

    /// False where the file has less.
    func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int) -> Bool {
        var filled = 0
        while filled < buffer.count {
            // SAFETY: the kernel writes at most count - filled bytes, into the buffer.
            let got = pread(raw, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, off_t(offset + filled))
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { return false }
            filled += got
        }
        return true
    }

    func write(_ buffer: UnsafeRawBufferPointer) -> Bool {
        var written = 0
        while written < buffer.count {
            // SAFETY: the kernel reads at most count - written bytes of the buffer.
            let put = Glibc.write(raw, buffer.baseAddress.map { $0 + written }, buffer.count - written)
            if put < 0, errno == EINTR { continue }
            guard put > 0 else { return false }
            written += put
        }
        return true
    }
}
