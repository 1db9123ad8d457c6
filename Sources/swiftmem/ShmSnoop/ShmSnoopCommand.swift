// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports

/// Who makes, attaches and forgets shared memory.
struct ShmSnoop: Tool {
    static let configuration = CommandConfiguration(
        commandName: "shmsnoop",
        abstract: "Shared-memory system calls as they return, or the segments there are.",
        discussion: """
            Traces shmget, shmat, shmdt and shmctl of every process, 32-bit ones and their \
            ipc() included. --all adds shm_open and shm_unlink (files of a /dev/shm), \
            memfd_create, memfd_secret, ftruncate and seals of these files, mmap with \
            MAP_SHARED of them or of nothing, and munmap of what was mapped so under the trace. \
            --list and --orphans trace nothing: they show the System V segments of all IPC \
            namespaces with a process in them.

            RET is hexadecimal, an error its name. For a 32-bit ipc() shmat it is the address, \
            which that call gives back in memory.

            Other than bcc's shmsnoop: errors have names instead of ffff...; SHM_HUGE_2MB and \
            the like are read as the six-bit field they are; commands have names; 32-bit calls \
            are seen; no kprobe is needed. As there, -n is part of a name, not a pattern.
            """)

    @Flag(name: [.customShort("T"), .long], help: "Print the time since the first call.")
    var timestamp = false
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Only processes whose name contains this.", valueName: "text"))
    var name: String?
    @Flag(help: "POSIX shared memory, memfds and shared mappings too.")
    var all = false
    @Flag(help: "How long each call took.")
    var latency = false
    @Flag(help: "Show the System V segments that exist, and end.")
    var list = false
    @Flag(help: "Show those that nobody is attached to and whose creator is gone, and end.")
    var orphans = false
    @OptionGroup var tasks: TaskOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        if list || orphans { return try ShmSegmentList(json: report.json, orphansOnly: orphans).run() }
        let filter = try filter_config(tasks)
        try requireTask(tasks)
        var session = try Session(Self.mode(all: all, latency: latency, filter: filter), report)
        switch session.probes.resolution[Calls.self] {
        case .record, .tracepoint, nil: break
        case .syscalls:
            note(
                "shmsnoop: calls by 32-bit programs can't be seen by these tracepoints"
                    + (all ? "; nor what --all adds" : ""))
        }
        try trace(&session)
        try session.finish()
    }

    private func trace(_ session: inout Session) throws(Failure) {
        var ring = try explained { () throws(BPFError) in try session.probes.object.ringBuffer("events") }
        var loop = try EventLoop(duration: report.duration?.value)
        try loop.watchRecords(ring.descriptor)
        var text = ShmCallText(timestamps: timestamp, threads: tasks.tid != nil, latency: latency, all: all)
        guard try session.begin(text.header) else { return }
        var calls: UInt64 = 0
        while true {
            let wakeup = try loop.next()
            if wakeup == .outputClosed { return }
            let stop = wakeup == .stop
            var output = Output()
            // one reading of both clocks serves a batch
            let clocks = Clocks()
            _ = try explained { () throws(BPFError) in
                try ring.consume { span in
                    guard case .returned(let call)? = ShmSnoopEvent(span), name.map({ call.comm.contains($0) }) ?? true
                    else { return }
                    calls += 1
                    if report.json {
                        output.print(ShmCallJSON.line(call, time: clocks.time(monotonic: call.time)))
                    } else {
                        output.print(text.line(call))
                    }
                }
            }
            session.output.append(output)
            try session.showLosses()
            if stop && report.json {
                session.output.print(ShmCallJSON.summary(calls: calls, losses: try session.losses()))
            }
            guard try session.output.flush(), !stop else { return }
        }
    }
}
