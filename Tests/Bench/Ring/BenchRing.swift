// SPDX-License-Identifier: Apache-2.0
// What reading a ring buffer costs: events that lie there are decoded into values by one thread, and counted. Then a
// second one makes them as fast as system calls go while they are read. A line of JSON for each.
import Glibc
import LibBPF
import Probes
import TestObjects

private struct Config {
    var pid: UInt32
    var syscall: UInt32
}
private struct Event {
    var number: UInt64
    var time: UInt64
}

/// Seconds of a clock.
private func now(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

private func flood(_ count: Int) {
    for _ in 0..<count { _ = getppid() }
}

/// asm/unistd_64.h and asm-generic/unistd.h
#if arch(x86_64)
    private let getppidNumber: UInt32 = 110
#else
    private let getppidNumber: UInt32 = 173
#endif

private enum Flood: String, Ladder {
    case raw
    static let id = "flood"
    static let sees = "events"
    var rung: Rung { Rung(.tracepoint, on: .all, programs: ["flood"]) }
}

@main
struct BenchRing {
    static let total = 3_000_000

    static func main() throws {
        // SAFETY: the image is the program's own constant data.
        let image = UnsafeRawBufferPointer(start: ringtest_image(), count: ringtest_size())
        let attached = try AttachedProbes.attach(
            ProbeSet(tool: "ringtest", ladders: [Flood.self]), image: image, oracle: RunningKernel(),
            configure: { (object, _) throws(BPFError) in
                let config = Config(pid: UInt32(getpid()), syscall: getppidNumber)
                try object.setReadOnlyData(".rodata.config", to: config)
                try object.map("events").setMaxEntries(32 << 20)
            })
        var ring = try attached.object.ringBuffer("events")
        let losses: PerCPUMap<UInt32, UInt64> = try attached.object.perCPUMap("losses")
        flood(1_000_000)
        let cpu = now(CLOCK_THREAD_CPUTIME_ID)
        let decoded = try decode(&ring)
        let rate = Double(decoded) / (now(CLOCK_THREAD_CPUTIME_ID) - cpu)
        print(#"{"type":"decode","events":\#(decoded),"events_per_cpu_second":\#(Int(rate))}"#)
        try stream(&ring, losses, lost: Int(losses.sum(for: 0)))
    }

    private static func decode(_ ring: inout RingBuffer) throws -> Int {
        var events = 0
        var latest: UInt64 = 0
        try ring.consume { span in
            guard let event = span.record(Event.self) else { return }
            latest = max(latest, event.time &+ event.number)
            events += 1
        }
        precondition(events == 0 || latest > 0)
        return events
    }

    private static func stream(_ ring: inout RingBuffer, _ losses: PerCPUMap<UInt32, UInt64>, lost before: Int) throws {
        var producer = pthread_t()
        pthread_create(
            &producer, nil,
            { _ in
                flood(BenchRing.total)
                return nil
            }, nil)
        let begin = now(CLOCK_MONOTONIC), cpu = now(CLOCK_THREAD_CPUTIME_ID)
        var received = 0, lost = 0
        while received + lost < total, now(CLOCK_MONOTONIC) - begin < 60 {
            let count = try decode(&ring)
            received += count
            lost = Int(try losses.sum(for: 0)) - before
            // as a tool's loop would wait
            if count == 0 { usleep(100) }
        }
        let seconds = now(CLOCK_MONOTONIC) - begin
        let share = (now(CLOCK_THREAD_CPUTIME_ID) - cpu) / seconds
        print(
            #"{"type":"stream","events":\#(received),"lost":\#(lost),"events_per_second":\#(Int(Double(received) / seconds)),"reader_cpu":\#(share)}"#
        )
        pthread_join(producer, nil)
    }
}
