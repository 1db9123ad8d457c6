// SPDX-License-Identifier: Apache-2.0

/// The frames of the recorder's file. Each has a mark, its length, its number and a checksum, and begins at a multiple of
/// eight. A frame that is half written or half overwritten is passed over; the others are not affected.
public enum OOMFrame: Hashable, Sendable {
    case sample(OOMSample)
    /// A kill by the kernel: when, and the record of BPF/oomkill.bpf.c.
    case kill(OOMMoment, [UInt8])
    /// A kill by a program: the machine's memory at it, and that record.
    case sent(OOMMoment, MemoryShortage?, [UInt8])
    /// A victim's memory is back: that record.
    case end(OOMMoment, [UInt8])
    case restart(OOMRestart)

    static let mark: UInt32 = 0x4D46_5352
    static let headBytes = 32
    /// A longer frame is taken for damage.
    static let longest = 1 << 20

    /// The frame's bytes, padded to a multiple of eight.
    ///
    /// - Parameter number: one more with each frame.
    public func bytes(number: UInt64) -> [UInt8] {
        let (kind, body) = contents
        var head = ByteWriter()
        head.add(Self.mark)
        head.add(UInt32(body.count))
        head.add(number)
        head.add(kind.rawValue)
        head.add(UInt32(0))
        head.add(Self.sum(head.bytes, body))
        var all = head.bytes + body
        all += [UInt8](repeating: 0, count: (8 - all.count % 8) % 8)
        return all
    }

    /// A frame's kind in the file. Those of files that an older version wrote, 1 and 2, are passed over.
    private enum Kind: UInt32 {
        case sample = 3
        case kill, sent, end, restart
    }

    private var contents: (Kind, [UInt8]) {
        var body = ByteWriter()
        switch self {
        case .sample(let sample):
            body.add(sample)
            return (.sample, body.bytes)
        case .kill(let moment, let record):
            body.add(moment)
            return (.kill, body.bytes + record)
        case .sent(let moment, let shortage, let record):
            body.add(moment)
            body.add(shortage)
            return (.sent, body.bytes + record)
        case .end(let moment, let record):
            body.add(moment)
            return (.end, body.bytes + record)
        case .restart(let restart):
            body.add(restart)
            return (.restart, body.bytes)
        }
    }

    /// All whole frames of a file, in the order of their numbers; of those that are kept twice, one.
    public static func all(in file: [UInt8]) -> [OOMFrame] {
        var found: [UInt64: OOMFrame] = [:]
        var place = 0
        while place + headBytes <= file.count {
            if let (number, frame, length) = frame(at: place, in: file) {
                if let frame { found[number] = frame }
                place += length
            } else {
                place += 8
            }
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }

    /// In a part of a file: the number of the last whole frame, and where the next one would go; nil: there is none.
    public static func end(of file: [UInt8], in part: Range<Int>) -> (number: UInt64, place: Int)? {
        end(in: part.clamped(to: 0..<file.count)) { Array(file[$0]) }
    }

    /// The same of a file that is not in memory.
    ///
    /// - Parameter read: the bytes there, all of them or fewer; it is asked for four MiB at most.
    public static func end(in part: Range<Int>, _ read: (Range<Int>) -> [UInt8]) -> (number: UInt64, place: Int)? {
        var last: (number: UInt64, place: Int)?
        var start = part.lowerBound
        while start < part.upperBound {
            let window = read(start..<min(part.upperBound, start + 4 * longest))
            let isLast = start + window.count >= part.upperBound || window.count < 4 * longest
            // a frame that begins here ends in the window
            let end = isLast ? window.count : window.count - headBytes - longest - 8
            var place = 0
            while place < end, place + headBytes <= window.count {
                guard let (number, _, length) = frame(at: place, in: window) else {
                    place += 8
                    continue
                }
                place += length
                if number >= last?.number ?? 0 { last = (number, start + place) }
            }
            if isLast { break }
            start += place
        }
        return last
    }

    /// nil: no whole frame begins here. A frame of an unknown kind gives its length alone.
    private static func frame(at place: Int, in file: [UInt8]) -> (UInt64, OOMFrame?, Int)? {
        // quick: it is called at three million places of a file, most of which begin no frame
        guard file[place] == UInt8(truncatingIfNeeded: mark) else { return nil }
        var head = ByteReader(file[place..<(place + headBytes)])
        guard head.number(UInt32.self) == mark, let count = head.number(UInt32.self).map({ Int($0) }),
            count <= longest, place + headBytes + count <= file.count, let number = head.number(UInt64.self),
            let kind = head.number(UInt32.self), head.number(UInt32.self) == 0, let sum = head.number(UInt64.self)
        else { return nil }
        let body = file[(place + headBytes)..<(place + headBytes + count)]
        guard self.sum(Array(file[place..<(place + 24)]), Array(body)) == sum else { return nil }
        let length = (headBytes + count + 7) & ~7
        return (number, Kind(rawValue: kind).flatMap { self.frame(of: $0, body) }, length)
    }

    private static func frame(of kind: Kind, _ body: ArraySlice<UInt8>) -> OOMFrame? {
        var reader = ByteReader(body)
        switch kind {
        case .sample: return reader.sample().map { .sample($0) }
        case .kill: return reader.oomMoment().map { .kill($0, Array(reader.rest)) }
        case .sent:
            guard let moment = reader.oomMoment(), let shortage = reader.shortage() else { return nil }
            return .sent(moment, shortage, Array(reader.rest))
        case .end: return reader.oomMoment().map { .end($0, Array(reader.rest)) }
        case .restart: return reader.restart().map { .restart($0) }
        }
    }

    private static func sum(_ head: [UInt8], _ body: [UInt8]) -> UInt64 {
        var sum = FNV1a()
        sum.add(head)
        sum.add(body)
        return sum.value
    }
}
