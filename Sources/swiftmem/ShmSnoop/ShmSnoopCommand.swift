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
            ipc() included. --all adds shm_open, shm_unlink and rename (files of a /dev/shm), \
            memfd_create, memfd_secret, ftruncate and seals of these files, mmap with \
            MAP_SHARED of them, of /dev/zero or of nothing, and munmap of what was mapped so under the trace. \
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
        help: ArgumentHelp("Only processes whose name contains this.", valueName: "text"), completion: .processName)
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
        let text = ShmCallText(timestamps: timestamp, threads: tasks.tid != nil, latency: latency, all: all)
        var source = try ShmSnoopSource(session, text, name: name)
        try ReportLoop.run(&source, &session, ReportLoop.Pace(duration: report.duration?.value))
        try session.finish()
    }
}
