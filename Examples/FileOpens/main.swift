// SPDX-License-Identifier: Apache-2.0
// example-file-opens [SECONDS]: how many files are opened, seen as well as this kernel lets it: a ladder.
// The programs are in Examples/Objects/file_opens.bpf.c.
import ExampleObjects
import Glibc
import LibBPF
import Probes

/// Ways of seeing that a file is opened, best first.
enum Opens: String, Ladder {
    case function, calls
    static let id = "opens"
    static let sees = "files being opened"

    var rung: Rung {
        switch self {
        case .function:
            Rung(.fentry, on: .all, programs: ["open_fentry"])
        case .calls:
            Rung(.tracepoint, on: .all, programs: ["open_call"], cannotSee: "files that io_uring or the kernel opens")
        }
    }
}

do {
    let attached = try AttachedProbes.attach(
        ProbeSet(tool: "file-opens", object: "file_opens", ladders: [Opens.self]),
        image: UnsafeRawBufferPointer(start: file_opens.bytes, count: file_opens.size),
        oracle: RunningKernel(), configure: { _, _ in })
    for passed in attached.resolution.choices.flatMap(\.passedOver) {
        print("not by \(passed.rung): \(passed.reason)")
    }
    switch attached.resolution[Opens.self] {
    case .function: print("by the kernel's function")
    case .calls: print("by system calls")
    case nil: print("not at all")
    }
    fflush(nil)
    let opens: PerCPUMap<UInt32, UInt64> = try attached.object.perCPUMap("opens")
    sleep(CommandLine.arguments.dropFirst().first.flatMap { UInt32($0) } ?? 5)
    print(try opens.sum(for: 0), "files opened")
} catch {
    print(error)
    exit(1)
}
