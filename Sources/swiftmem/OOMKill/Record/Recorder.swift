// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import LibBPF
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// Takes a sample each second, and notes each kill: in a file of bounded size, or the last minutes in memory.
struct Recorder: ~Copyable {
    /// Seconds between samples.
    static let interval = 1.0

    /// Samples kept in memory: two minutes of them.
    static let mostRecent = 120

    private var file: RingFile?
    private let keepsRecent: Bool
    /// The latest samples, by time.
    private(set) var recent: [OOMSample] = []
    private let program: Program
    private var selection = OOMSelection()
    private var cgroups = RecordedCgroups()
    private var restarts = OOMRestarts()
    private let boot = Self.bootIdentity()
    /// Samples are kept with a kill up to this moment, CLOCK_MONOTONIC.
    private var keepsUntil: UInt64 = 0
    private var isFirst = true
    /// The file could not be written the last time.
    private var isFailing = false
    /// When the next sample is due, CLOCK_MONOTONIC.
    private var due = monotonicNow()

    /// - Parameters:
    ///   - file: nil: nothing is written.
    ///   - program: the iterator over all processes.
    ///   - keepsRecent: the last samples are kept in memory.
    init(_ file: consuming RingFile?, _ program: Program, keepsRecent: Bool) {
        self.file = file
        self.program = program
        self.keepsRecent = keepsRecent
    }

    /// Keeps the kernel from choosing this process as a victim and from taking its pages: it has to go on when there is no
    /// memory left.
    ///
    /// To be called before capabilities are dropped: only this uses CAP_SYS_RESOURCE and CAP_IPC_LOCK.
    static func survive() {
        if let score = fopen("/proc/self/oom_score_adj", "we") {
            fputs("-1000", score)
            if fclose(score) != 0 {
                swiftmem.note("the kernel may choose this recorder as a victim: no CAP_SYS_RESOURCE")
            }
        }
        // once CAP_IPC_LOCK is dropped, later mappings count against the limit
        var limit = rlimit(rlim_cur: .max, rlim_max: .max)
        let isUnlimited = setrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0
        // MCL_ONFAULT: locks the pages that are touched, not all that are mapped
        if mlockall(MCL_CURRENT | MCL_ONFAULT | (isUnlimited ? MCL_FUTURE : 0)) != 0 {
            swiftmem.note("the recorder's memory may be paged out: \(String(cString: strerror(errno)))")
        }
    }

    /// Takes a sample.
    ///
    /// - Returns: when the next sample is due, CLOCK_MONOTONIC.
    /// - Throws: `BPFError` where the kernel's iterator over processes fails.
    mutating func sample() throws(BPFError) -> UInt64 {
        let now = monotonicNow()
        due = max(due + UInt64(Self.interval * 1e9), now)
        let processes = OOMProcess.all(try program.runIterator())
        let machine = MachineMemory()
        let known = cgroups.read(processes)
        let total = (machine.total &+ machine.swapTotal) / UInt64(pageBytes)
        let chosen = selection.choose(
            processes, limited: known.limited, totalPages: total, pageBytes: UInt64(pageBytes))
        let used = Set(chosen.map(\.cgroupID))
        let sample = OOMSample(
            time: .now, boot: boot, bootNanoseconds: machine.sinceBoot, pageBytes: UInt64(pageBytes),
            totalBytes: machine.total, availableBytes: machine.available, swapTotalBytes: machine.swapTotal,
            swapFreeBytes: machine.swapFree, stalledNanoseconds: machine.stalled,
            cgroups: known.cgroups.filter { $0.usageBytes != nil || used.contains($0.id) },
            processes: chosen)
        if keepsRecent {
            if recent.count >= Self.mostRecent { recent.removeFirst() }
            recent.append(sample)
        }
        write(.sample(sample))
        if isFirst {
            // what starting took and needs no more, libbpf above all
            clinux_trim_heap()
            isFirst = false
        }
        lookForRestarts(processes, known.cgroups, machine.sinceBoot)
        if now < keepsUntil { attempt { (file) throws(Failure) in try file.keep() } }
        return due
    }

    private mutating func lookForRestarts(_ processes: [OOMProcess], _ cgroups: [OOMCgroup], _ now: UInt64) {
        guard file != nil, !restarts.isEmpty else { return }
        let paths = Dictionary(cgroups.map { ($0.id, $0.path) }, uniquingKeysWith: { first, _ in first })
        let found = restarts.look(processes, now: now) {
            paths[$0.cgroupID]
        } cmdline: {
            ProcessFiles($0).commandLine.flatMap(OOMVictim.arguments)
        }
        for restart in found {
            write(.restart(restart))
            keepsUntil = max(keepsUntil, monotonicNow() + 1)
        }
    }

    /// Notes a kill by the kernel.
    ///
    /// - Parameter record: the record of BPF/oomkill.bpf.c.
    mutating func note(kill victim: OOMVictim, _ record: [UInt8]) {
        let moment = moment(victim.time)
        write(.kill(moment, record))
        keepSurroundings()
        // others die with it by its memory alone
        guard !victim.sharesMemory else { return }
        restarts.expect(
            victim.victimPID, victim.victimComm, cmdline: victim.cmdline, in: victim.cgroup, killedAt: moment)
    }

    /// Notes a kill by a program.
    mutating func note(sent kill: SentKill, _ machine: MemoryShortage?, _ record: [UInt8]) {
        let moment = moment(kill.time)
        write(.sent(moment, machine, record))
        keepSurroundings()
        restarts.expect(kill.victimPID, kill.victimComm, cmdline: kill.cmdline, in: kill.cgroup, killedAt: moment)
    }

    /// Notes that a victim's memory is back.
    mutating func note(end: OOMEnd, _ record: [UInt8]) {
        let moment = moment(end.time)
        write(.end(moment, record))
        keepSurroundings()
    }

    /// The samples in memory up to a kill, with times of the clock as it was at it.
    func recent(upTo victim: OOMVictim) -> [OOMSample] { recent.upTo(moment(victim.time)) }

    /// A moment of a record that was just decoded, by the clock of now.
    private func moment(_ time: WallTime) -> OOMMoment {
        let age = WallTime.now.nanoseconds - time.nanoseconds
        let sinceBoot = Int64(clamping: MachineMemory.nanosecondsSinceBoot())
        return OOMMoment(time: time, boot: boot, nanoseconds: UInt64(max(0, sinceBoot - max(0, age))))
    }

    /// What was before this, and ten seconds more, is to stay. It is copied with the next samples: there may be no memory
    /// to spare now.
    private mutating func keepSurroundings() { keepsUntil = monotonicNow() + 10_000_000_000 }

    private mutating func write(_ frame: OOMFrame) { attempt { (file) throws(Failure) in try file.write(frame) } }

    /// What can't be written is said once; the kills are told still, and the next frame is tried.
    private mutating func attempt(_ action: (inout RingFile) throws(Failure) -> Void) {
        guard var file = file.take() else { return }
        do throws(Failure) {
            try action(&file)
            isFailing = false
        } catch {
            if !isFailing { swiftmem.note("\(error.message); it is tried again each second") }
            isFailing = true
        }
        self.file = consume file
    }

    /// The start of /proc/sys/kernel/random/boot_id, which is another after each boot.
    private static func bootIdentity() -> UInt64 {
        let words = (readOneLine("/proc/sys/kernel/random/boot_id") ?? "").split(separator: "-").joined()
        return UInt64(words.prefix(16), radix: 16) ?? 0
    }
}

/// The machine's memory at one moment.
struct MachineMemory {
    let total: UInt64
    let available: UInt64
    let swapTotal: UInt64
    let swapFree: UInt64
    /// Total of PSI's `some`; nil where the kernel keeps none.
    let stalled: UInt64?
    let sinceBoot: UInt64

    init() {
        let fields = MeminfoFields(ProcFS.text("meminfo"))
        total = fields["MemTotal"] ?? 0
        available = fields["MemAvailable"] ?? 0
        swapTotal = fields["SwapTotal"] ?? 0
        swapFree = fields["SwapFree"] ?? 0
        stalled = MemStallReader.pressure()?.some
        sinceBoot = Self.nanosecondsSinceBoot()
    }

    /// CLOCK_BOOTTIME, which counts a machine's sleep too.
    static func nanosecondsSinceBoot() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
