// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports
internal import Symbols
internal import SystemLayer
internal import TraceRecords
internal import Unwind

/// `--stack`: what is made ready before a session begins, which gives rights away.
struct MemStallStackWish {
    let kernel = KernelStackNames()
    let reading: FileReading
    /// Those that were asked for: their stacks are whole from the first on.
    let processes: [UInt32]

    init(_ tasks: TaskOptions) throws(Failure) {
        // of a cgroup with more, those that come later are read when they stall
        let members = try tasks.cgroup.map { name throws(Failure) in try CgroupTarget(name).processes() } ?? []
        let named = [tasks.pid, tasks.tid].compactMap { $0?.value }.compactMap { id in
            ProcessFiles(id).status?.words("Tgid")?.first.flatMap { UInt32($0) }
        }
        processes = Array((named + members).prefix(64))
        let parsers = ParserPool()
        parsers.prepare()
        reading = FileReading(parsers: parsers)
    }
}

/// Names the stacks of stalls. Who stalls first is not known before: a process's mappings are read when it has stalled,
/// so that the first of its stacks may be walked by frame pointers.
struct MemStallStackReader {
    private let kernel: KernelStackNames
    private let names: StackNames
    private let inbox: EventInbox<ProcessChange>
    private let keptStacks: PerCPUMap<UInt32, UInt64>
    /// Those whose exec and end the programs tell of.
    private let processes: BPFMap<UInt32, UInt32>
    private var known: Set<UInt32> = []
    private var isFull = false
    /// What is gone, and is named once more.
    private var ended: Set<UInt32> = []
    private var stacks: StackTable<stack_record, CapturedStack>
    // Spelled out, it has no nil before init: Swift 6.2 takes that for a second value where init throws.
    private var unwinder: Optional<UnwindUploader>

    /// - Throws: `BPFError` where the object has no such maps.
    init(_ session: borrowing Session, _ wish: MemStallStackWish) throws {
        unwinder = try UnwindUploader(
            session.probes.object, MemStall.stackMode(session.probes.resolution), cache: Environment.unwindCache,
            reading: wish.reading, note: note)
        kernel = wish.kernel
        names = StackNames(lines: false, reading: wish.reading)
        inbox = EventInbox(try session.probes.object.ringBuffer("events")) { ProcessChange($0) }
        keptStacks = try session.probes.object.perCPUMap("kept_stacks")
        processes = try session.probes.object.map("processes")
        stacks = StackTable(try session.probes.object.map("stacks")) { CapturedStack($0) }
        wish.reading.meanwhile = { [inbox] in inbox.fetch() }
        for pid in wish.processes {
            look(at: pid)
            roomOrNote { try $0.load(pid) }
        }
    }

    /// Readable (epoll) when a process has changed.
    var descriptor: Int32 { inbox.descriptor }

    /// Seconds until `rearm` is due; nil: nobody waits for it.
    var delay: Double? { unwinder.flatMap { $0.hasAskers ? $0.delay : nil } }

    mutating func rearm() { roomOrNote { try $0.rearm() } }

    /// The kernel has room for the mappings of some thousand processes.
    private mutating func roomOrNote(_ load: (inout UnwindUploader) throws -> Void) {
        do {
            if var uploader = unwinder.take() {
                defer { unwinder = uploader }
                try load(&uploader)
            }
        } catch {
            if !isFull { note("no room for the mappings of more processes: their stacks are walked by frame pointers") }
            isFull = true
        }
    }

    mutating func takeIn() throws {
        for change in try inbox.take() {
            switch change {
            case .unmapped(let pid):
                look(at: pid)
                roomOrNote { try $0.asked(pid) }
            case .execed(let pid, _, _, _):
                try forget(pid)
                names.execed(pid)
            case .exited(let pid, _):
                try forget(pid)
                ended.insert(pid)
            case .forked: break
            }
        }
    }

    /// Reads its mappings while it is there.
    private mutating func look(at pid: UInt32) {
        names.load(pid)
        guard known.insert(pid).inserted else { return }
        // one too many: its names are those of now, be they another program's by then
        _ = try? processes.set(pid, to: 1)
    }

    private mutating func forget(_ pid: UInt32) throws {
        guard known.remove(pid) != nil else { return }
        try processes.remove(pid)
        try unwinder?.forget(pid)
    }

    /// A report is to be made.
    mutating func refresh() { kernel.refresh() }

    /// The stacks of a key's stalls, named.
    mutating func stack(_ key: MemStallKey, _ counters: MemStallCounters) throws -> MemStallStack {
        if key.userStack != 0, !known.contains(key.pid), !ended.contains(key.pid) { look(at: key.pid) }
        let user = try stacks.stack(key.userStack)
        return MemStallStack(
            kernel: try stacks.stack(key.kernelStack).map { kernel.frames($0.frames) },
            user: user.map { names.frames($0, pid: key.pid, isExact: true) }, end: user?.end, counters: counters)
    }

    /// A report is made: those that have ended are forgotten, and stacks that are new have room.
    mutating func reported() throws {
        for pid in ended { names.ended(pid) }
        ended = []
        try stacks.makeRoom(try keptStacks.values(for: 0)?.reduce(0, &+) ?? 0)
    }
}
