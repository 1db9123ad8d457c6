// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

/// Reads records out of a ring buffer map, in order, where they lie.
///
/// The kernel never waits for a reader: a full ring makes the program count a
/// loss. Reading is by hand: wait for `descriptor` to be readable, then `consume`.
public struct RingBuffer: ~Copyable {
    private let raw: OpaquePointer
    private let receiver: Receiver
    private let map: MapHandle
    /// Readable (epoll) when records wait.
    public let descriptor: Int32

    /// What libbpf's C callback reaches through its context pointer.
    private final class Receiver {
        var body: ((RawSpan) -> Void)?
    }

    init(_ map: MapHandle) throws(BPFError) {
        guard map.kind == .ringBuffer else {
            throw BPFError(operation: "map \(map.name) is no ring buffer", code: EINVAL)
        }
        let receiver = Receiver()
        // SAFETY: the receiver outlives the ring: both are this value's, freed in its deinit.
        let context = Unmanaged.passUnretained(receiver).toOpaque()
        let raw = try checkedPointer("read ring buffer \(map.name)") {
            ring_buffer__new(
                map.descriptor,
                { context, data, size in
                    guard let context = context, let data = data else { return 0 }
                    let receiver = Unmanaged<Receiver>.fromOpaque(context)
                        .takeUnretainedValue()
                    // SAFETY: the record is `size` bytes long and stays until we return.
                    let record = UnsafeRawBufferPointer(start: data, count: Int(size))
                    receiver.body?(record.bytes)
                    return 0
                }, context, nil)
        }
        self.map = map
        self.receiver = receiver
        self.raw = raw
        self.descriptor = ring_buffer__epoll_fd(raw)
    }

    deinit { ring_buffer__free(raw) }

    /// Hands every waiting record to the body and frees its room; the span is
    /// valid only within the call.
    ///
    /// - Returns: how many there were.
    /// - Throws: `BPFError` where libbpf can't read the ring; it has no reason not to.
    @discardableResult
    public mutating func consume(_ body: (RawSpan) -> Void) throws(BPFError) -> Int {
        // The compiler puts the length of the file's path into the program, which would depend on where it was built.
        #sourceLocation(file:"LibBPF.RingBuffer",line:1)
        try withoutActuallyEscaping(body) { (body) throws(BPFError) -> Int in
            receiver.body = body
            defer { receiver.body = nil }
            return Int(try checkedCode(ring_buffer__consume(raw), "consume ring buffer \(map.name)"))
        }
    }
    #sourceLocation()

    /// Waits for records, at most so long, and hands them to the body as `consume` does.
    ///
    /// - Parameters:
    ///   - milliseconds: the longest wait; -1: without end.
    ///   - body: gets every record; the span is valid only within the call.
    /// - Returns: how many there were; 0 too where a signal ended the wait.
    /// - Throws: `BPFError` where the wait fails; it has no reason to.
    @discardableResult
    public mutating func wait(milliseconds: Int32, _ body: (RawSpan) -> Void) throws(BPFError) -> Int {
        // as above
        #sourceLocation(file:"LibBPF.RingBuffer",line:2)
        try withoutActuallyEscaping(body) { (body) throws(BPFError) -> Int in
            receiver.body = body
            defer { receiver.body = nil }
            let count = ring_buffer__poll(raw, milliseconds)
            if count == -EINTR { return 0 }
            return Int(try checkedCode(count, "wait for ring buffer \(map.name)"))
        }
    }
    #sourceLocation()
}

extension RawSpan {
    /// A record of a C type at the span's start; nil where the span is shorter.
    public func record<Record: BitwiseCopyable>(_ type: Record.Type) -> Record? {
        guard byteCount >= MemoryLayout<Record>.size else { return nil }
        // SAFETY: long enough, and every bit pattern is a value of a C record.
        return unsafeLoadUnaligned(as: type)
    }
}
