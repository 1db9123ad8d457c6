// SPDX-License-Identifier: Apache-2.0

/// The file of a recording: a head with the format's version, then records, each with its length and a checksum over all
/// bytes before it. The file is only appended to: when its writer is killed, all records but the last are whole.
enum LeakRecordFile {
    static let mark: [UInt8] = Array("swiftmem memleak ".utf8)
    static let version = 1
    static var head: [UInt8] { mark + Array("\(version)\n".utf8) }
    /// Bytes of a record besides its body: kind and length before it, the checksum behind it.
    static let headBytes = 5
    static let sumBytes = 8
}

/// Why a recording is not read any further.
public enum LeakRecordingError: Error, Hashable, Sendable {
    /// The file is no recording.
    case notARecording
    /// The format has another version.
    case version(String)
    /// It ends within a record: its writer was killed, or the file was cut.
    ///
    /// - Parameter offset: where that record begins.
    case cut(offset: Int)
    /// A record's checksum or content is wrong.
    ///
    /// - Parameter offset: where it begins.
    case damaged(offset: Int)
}

/// Encodes records for a file.
public struct LeakRecordWriter: Sendable {
    private var sum = FNV1a()
    private var sumBefore = FNV1a()
    private var tables = LeakRecordTables()

    public init() {}

    /// Bytes of the record that says the run has ended.
    public static var endBytes: Int { LeakRecordFile.headBytes + 1 + LeakRecordFile.sumBytes }

    /// The head of a file.
    public mutating func head() -> [UInt8] {
        let head = LeakRecordFile.head
        sum.add(head)
        return head
    }

    /// The next record.
    public mutating func bytes(_ record: LeakRecord) -> [UInt8] {
        var body = ByteWriter()
        body.add(record, &tables)
        var all = ByteWriter()
        all.add(record.kind)
        all.add(UInt32(truncatingIfNeeded: body.bytes.count))
        all.bytes += body.bytes
        sumBefore = sum
        sum.add(all.bytes)
        all.add(sum.value)
        return all.bytes
    }

    /// Takes the last record back: it did not go into the file. Another that refers to no earlier one may take its place.
    public mutating func takeBack() { sum = sumBefore }

    /// Has the captured stack been written?
    public func knows(_ captured: AllocationSite) -> Bool { tables.sites[captured] != nil }

    /// Forgets a process that has ended: a later one with its PID has stacks of its own.
    public mutating func forget(_ pid: UInt32) {
        tables.sites = tables.sites.filter { $0.key.pid != pid }
    }
}

/// Decodes the records of a file, in order.
public struct LeakRecording: Sendable {
    private let bytes: [UInt8]
    private var sum = FNV1a()
    /// Where the next record begins.
    public private(set) var offset: Int
    private var lists = LeakRecordLists()

    /// - Throws: `LeakRecordingError` where it is no recording, or not of this version.
    public init(_ bytes: [UInt8]) throws(LeakRecordingError) {
        guard bytes.starts(with: LeakRecordFile.mark) else { throw .notARecording }
        let head = LeakRecordFile.head
        guard bytes.starts(with: head) else {
            let version = bytes.dropFirst(LeakRecordFile.mark.count).prefix { $0 != UInt8(ascii: "\n") }
            guard bytes.count > LeakRecordFile.mark.count + version.count else { throw .cut(offset: 0) }
            throw .version(Printable.text(String(decoding: version.prefix(20), as: UTF8.self)))
        }
        self.bytes = bytes
        sum.add(head)
        offset = head.count
    }

    /// The next record; nil at the end of the file.
    ///
    /// - Throws: `LeakRecordingError` where it is cut or damaged.
    public mutating func next() throws(LeakRecordingError) -> LeakRecord? {
        let begin = offset
        guard begin < bytes.count else { return nil }
        guard begin + LeakRecordFile.headBytes <= bytes.count else { throw .cut(offset: begin) }
        var head = ByteReader(bytes[begin..<begin + LeakRecordFile.headBytes])
        guard let kind = head.number(UInt8.self), let length = head.number(UInt32.self).map({ Int($0) }) else {
            throw .damaged(offset: begin)
        }
        let end = begin + LeakRecordFile.headBytes + length
        guard end + LeakRecordFile.sumBytes <= bytes.count else { throw .cut(offset: begin) }
        sum.add(bytes[begin..<end])
        var tail = ByteReader(bytes[end..<end + LeakRecordFile.sumBytes])
        guard tail.number(UInt64.self) == sum.value else { throw .damaged(offset: begin) }
        var body = ByteReader(bytes[begin + LeakRecordFile.headBytes..<end])
        guard let record = body.record(kind, &lists), body.rest.isEmpty else { throw .damaged(offset: begin) }
        offset = end + LeakRecordFile.sumBytes
        return record
    }
}
