// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Symbols
internal import SystemLayer
internal import SystemPackage

/// Unwind tables of earlier runs, in a directory of this user's own.
///
/// Nothing in it is trusted beyond its owner: the directory and each file must belong to the effective user and be
/// writable by nobody else, and what is read must have the right length and checksum and belong to the very file asked
/// for. What doesn't is as good as missing; the table is made anew and put in its place.
struct UnwindCache: Sendable {
    /// To be raised with the format of tables (TraceRecords/unwind_table.h) or of these files.
    static let version: UInt64 = 1
    static let magic = UInt64(0x6c62_6174_6477_6e75)  // "unwdtabl"
    /// The files in the directory are kept below this; the longest unused go first.
    static let mostBytes: Int64 = 256 << 20
    static let mostFiles = 4096

    let directory: FilePath
    let mostBytes: Int64
    let mostFiles: Int
    /// Which build of this program made a table: another may make it otherwise.
    private let maker: [UInt64]

    /// - Parameter directory: made when the first table is kept.
    init(_ directory: FilePath, mostBytes: Int64 = Self.mostBytes, mostFiles: Int = Self.mostFiles) {
        self.directory = directory
        self.mostBytes = mostBytes
        self.mostFiles = mostFiles
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
    private func open(creating: Bool) -> OwnedDescriptor? {
        if creating {
            let parent = directory.removingLastComponent()
            for path in [parent, directory] { _ = path.withPlatformString { mkdir($0, 0o700) } }
        }
        let raw = directory.withPlatformString { Glibc.open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        guard let descriptor = OwnedDescriptor(opened: raw), let status = descriptor.status(),
            Self.isOwn(status, S_IFDIR)
        else {
            return nil
        }
        return descriptor
    }

    // MARK: reading

    func table(_ key: Key) -> UnwindTable? {
        guard let place = open(creating: false) else { return nil }
        let raw = key.name.withPlatformString { openat(place.raw, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        guard let file = OwnedDescriptor(opened: raw), let status = file.status(), Self.isOwn(status, S_IFREG),
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
        let temporary = FilePath("new-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        let raw = temporary.withPlatformString {
            openat(place.raw, $0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        }
        guard let file = OwnedDescriptor(opened: raw) else { return }
        let isWritten =
            withUnsafeBytes(of: &header, { file.write($0) }) && table.words.withUnsafeBytes { file.write($0) }
        let isThere =
            isWritten
            && temporary.withPlatformString { from in
                key.name.withPlatformString { renameat(place.raw, from, place.raw, $0) }
            } == 0
        if !isThere { _ = temporary.withPlatformString { unlinkat(place.raw, $0, 0) } }
        evict(place)
    }
}
