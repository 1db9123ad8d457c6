// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports

/// memstall's stalls, printed as they end.
struct MemStallTraceSource: ReportSource, ~Copyable {
    private var ring: RingBuffer
    private var cgroups: MemStallCgroups
    private var text = MemStallTraceText()
    private var stalls: UInt64 = 0

    init(_ session: borrowing Session) throws {
        let cgroups = try MemStallCgroups(session)
        ring = try session.probes.object.ringBuffer("events")
        self.cgroups = cgroups
    }

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        try events.watchRecords(ring.descriptor)
        return try session.begin(text.header)
    }

    mutating func takeIn(_ session: inout Session) throws {
        // one reading of both clocks serves a batch
        let clocks = Clocks()
        var events: [MemStallEvent] = []
        try ring.consume { span in
            if let event = MemStallEvent(span) { events.append(event) }
        }
        for event in events {
            stalls += 1
            let limit = try cgroups.path(event.limitCgroup)
            if session.options.json {
                session.output.print(
                    MemStallJSON.line(
                        event, time: clocks.time(monotonic: event.end), cgroup: try cgroups.path(event.cgroup),
                        limitCgroup: limit))
            } else {
                session.output.print(text.line(event, limit: limit))
            }
        }
    }

    mutating func close(_ session: inout Session, isLast: Bool) throws {
        guard isLast, session.options.json else { return }
        session.output.print(MemStallJSON.summary(time: .now, stalls: stalls, losses: try session.losses()))
    }
}
