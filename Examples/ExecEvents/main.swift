// SPDX-License-Identifier: Apache-2.0
// example-exec-events [COUNT]: who calls exec, a line each: from a tracepoint through a ring buffer.
// The program is Examples/Objects/exec_events.bpf.c.
import ExampleObjects
import Glibc
import LibBPF

/// As the program writes it.
struct ExecEvent {
    var pid: UInt32
    var file: InlineArray<60, UInt8>

    var path: String {
        let bytes = file.indices.map { file[$0] }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

do throws(BPFError) {
    let image = UnsafeRawBufferPointer(start: exec_events.bytes, count: exec_events.size)
    let object = try OpenObject(image: image.bytes, name: "exec_events").load()
    let link = try object.program("on_exec").attach()
    var ring = try object.ringBuffer("events")
    let lost: PerCPUMap<UInt32, UInt64> = try object.perCPUMap("lost")
    print("tracing")
    fflush(nil)

    var left = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? .max
    while left > 0 {
        try ring.wait(milliseconds: -1) { bytes in
            guard left > 0, let event = bytes.record(ExecEvent.self) else { return }
            print(event.pid, event.path)
            left -= 1
        }
        fflush(nil)
    }
    print("lost", try lost.sum(for: 0))
    withExtendedLifetime(link) {}
} catch {
    print(error)
    exit(1)
}
