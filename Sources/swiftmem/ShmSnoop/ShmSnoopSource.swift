// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports

/// shmsnoop's calls, printed as they return.
struct ShmSnoopSource: ReportSource, ~Copyable {
    private var ring: RingBuffer
    private var text: ShmCallText
    /// Only processes whose name contains this; nil: all.
    private let name: String?
    private var calls: UInt64 = 0

    init(_ session: borrowing Session, _ text: ShmCallText, name: String?) throws {
        ring = try session.probes.object.ringBuffer("events")
        self.text = text
        self.name = name
    }

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        try events.watchRecords(ring.descriptor)
        return try session.begin(text.header)
    }

    mutating func takeIn(_ session: inout Session) throws {
        let json = session.options.json, name = name
        // one reading of both clocks serves a batch
        let clocks = Clocks()
        var output = Output()
        var (text, calls) = (text, calls)
        try ring.consume { span in
            guard case .returned(let call)? = ShmSnoopEvent(span), name.map({ call.comm.contains($0) }) ?? true
            else { return }
            calls += 1
            if json {
                output.print(ShmCallJSON.line(call, time: clocks.time(monotonic: call.time)))
            } else {
                output.print(text.line(call))
            }
        }
        (self.text, self.calls) = (text, calls)
        session.output.append(output)
    }

    mutating func close(_ session: inout Session, isLast: Bool) throws {
        guard isLast, session.options.json else { return }
        session.output.print(ShmCallJSON.summary(calls: calls, losses: try session.losses()))
    }
}
