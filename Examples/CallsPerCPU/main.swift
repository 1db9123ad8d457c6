// SPDX-License-Identifier: Apache-2.0
// example-calls-per-cpu [SECONDS]: system calls a second, of all processes and by CPU.
// The program is Examples/Objects/calls_per_cpu.bpf.c.
import ExampleObjects
import Glibc
import LibBPF

do throws(BPFError) {
    let image = UnsafeRawBufferPointer(start: calls_per_cpu.bytes, count: calls_per_cpu.size)
    let object = try OpenObject(image: image.bytes, name: "calls_per_cpu").load()
    let link = try object.program("count_call").attach()
    let calls: PerCPUMap<UInt32, UInt64> = try object.perCPUMap("calls")

    var before = try calls.values(for: 0) ?? []
    for _ in 0..<(CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 5) {
        sleep(1)
        // one value a possible CPU; what is counted meanwhile is in the next second's
        let now = try calls.values(for: 0) ?? []
        let perCPU = zip(now, before).map { $0 - $1 }
        print(perCPU.reduce(0, +), perCPU)
        fflush(nil)
        before = now
    }
    withExtendedLifetime(link) {}
} catch {
    print(error)
    exit(1)
}
