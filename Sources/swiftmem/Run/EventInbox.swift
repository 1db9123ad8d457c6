// SPDX-License-Identifier: Apache-2.0
internal import LibBPF

/// Events of a ring, in order: taken in when the loop comes to them, or read before, so that the ring does not fill up
/// while the run waits for something else.
final class EventInbox<Event> {
    private var ring: RingBuffer
    private let decode: (RawSpan) -> Event?
    private var events: [Event] = []
    private var failure: BPFError?

    /// Events that wait at most: beyond that the ring fills, and its programs count what is lost.
    private static var most: Int { 1 << 18 }

    /// - Parameter decode: nil: the record makes no sense.
    init(_ ring: consuming RingBuffer, _ decode: @escaping (RawSpan) -> Event?) {
        self.ring = ring
        self.decode = decode
    }

    /// Readable (epoll) when records wait.
    var descriptor: Int32 { ring.descriptor }

    /// Reads what the ring has.
    func fetch() {
        guard events.count < Self.most, failure == nil else { return }
        do throws(BPFError) {
            try ring.consume { [decode] span in
                if let event = decode(span) { events.append(event) }
            }
        } catch {
            failure = error
        }
    }

    /// All that came since the last time.
    ///
    /// - Throws: `BPFError` where the ring can't be read.
    func take() throws(BPFError) -> [Event] {
        fetch()
        if let failure { throw failure }
        defer { events = [] }
        return events
    }
}
