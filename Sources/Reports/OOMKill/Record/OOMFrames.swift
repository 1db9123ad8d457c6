// SPDX-License-Identifier: Apache-2.0

/// The frames of the recorder's file. Each has a mark, its length, its number and a checksum, and begins at a multiple of
/// eight. A frame that is half written or half overwritten is passed over; the others are not affected.
public enum OOMFrame: Hashable, Sendable {
    case sample(OOMSample)
    /// A kill: when, and the record of BPF/oomkill.bpf.c.
    case kill(WallTime, [UInt8])

    static let mark: UInt32 = 0x4D46_5352
    static let headBytes = 32
    /// A longer frame is taken for damage.
    static let longest = 1 << 20

    /// The frame's bytes, padded to a multiple of eight.
    ///
    /// - Parameter number: one more with each frame.
    public func bytes(number: UInt64) -> [UInt8] {
        var body = ByteWriter()
        let kind: UInt32
        switch self {
        case .sample(let sample):
            kind = 1
            body.add(sample)
        case .kill(let time, let record):
            kind = 2
            body.add(UInt64(bitPattern: time.nanoseconds))
            body.bytes += record
        }
        var head = ByteWriter()
        head.add(Self.mark)
        head.add(UInt32(body.bytes.count))
        head.add(number)
        head.add(kind)
        head.add(UInt32(0))
        head.add(Self.sum(head.bytes, body.bytes))
        var all = head.bytes + body.bytes
        all += [UInt8](repeating: 0, count: (8 - all.count % 8) % 8)
        return all
    }

    /// All whole frames of a file, in the order of their numbers.
    public static func all(in file: [UInt8]) -> [OOMFrame] {
        var found: [(number: UInt64, frame: OOMFrame)] = []
        var place = 0
        while place + headBytes <= file.count {
            if let (number, frame, length) = frame(at: place, in: file) {
                if let frame { found.append((number, frame)) }
                place += length
            } else {
                place += 8
            }
        }
        return found.sorted { $0.number < $1.number }.map(\.frame)
    }

    /// The number of the last whole frame, and where the next one would go; nil: there is none.
    public static func end(of file: [UInt8], from start: Int) -> (number: UInt64, place: Int)? {
        var last: (number: UInt64, place: Int)?
        var place = start
        while place + headBytes <= file.count {
            guard let (number, _, length) = frame(at: place, in: file) else {
                place += 8
                continue
            }
            place += length
            if number >= last?.number ?? 0 { last = (number, place) }
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
        var reader = ByteReader(body)
        switch kind {
        case 1: return (number, reader.sample().map { .sample($0) }, length)
        case 2:
            guard let time = reader.number(UInt64.self) else { return (number, nil, length) }
            return (number, .kill(WallTime(nanoseconds: Int64(bitPattern: time)), Array(reader.rest)), length)
        default: return (number, nil, length)
        }
    }

    private static func sum(_ head: [UInt8], _ body: [UInt8]) -> UInt64 {
        var sum = FNV1a()
        sum.add(head)
        sum.add(body)
        return sum.value
    }
}
