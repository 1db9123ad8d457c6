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
    /// Readable (epoll) when records wait.
    public let descriptor: Int32

    /// What libbpf's C callback reaches through its context pointer.
    private final class Receiver {
        var body: ((RawSpan) -> Void)?
    }

    init(mapDescriptor: Int32, name: String) throws(BPFError) {
        let receiver = Receiver()
        // SAFETY: the receiver outlives the ring: both are this value's, freed in its deinit.
        let context = Unmanaged.passUnretained(receiver).toOpaque()
        let raw = try checkedPointer("read ring buffer \(name)") {
            ring_buffer__new(
                mapDescriptor,
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
        self.receiver = receiver
        self.raw = raw
        self.descriptor = ring_buffer__epoll_fd(raw)
    }

    deinit { ring_buffer__free(raw) }

    /// Hands every waiting record to the body and frees its room; the span is
    /// valid only within the call. Returns how many there were.
    @discardableResult
    public mutating func consume(_ body: (RawSpan) -> Void) throws(BPFError) -> Int {
        try withoutActuallyEscaping(body) { (body) throws(BPFError) -> Int in
            receiver.body = body
            defer { receiver.body = nil }
            return Int(try checked("consume ring buffer") { ring_buffer__consume(raw) })
        }
    }
}

extension RawSpan {
    /// A record of a C type at the span's start; nil where the span is shorter.
    public func record<Record: BitwiseCopyable>(_ type: Record.Type) -> Record? {
        guard byteCount >= MemoryLayout<Record>.size else { return nil }
        // SAFETY: long enough, and every bit pattern is a value of a C record.
        return unsafeLoadUnaligned(as: type)
    }
}

extension LoadedObject {
    /// A reader of a ring buffer map.
    public func ringBuffer(_ name: String) throws(BPFError) -> RingBuffer {
        try RingBuffer(mapDescriptor: mapInfo(name).descriptor, name: name)
    }
}
