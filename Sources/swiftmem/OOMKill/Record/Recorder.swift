// SPDX-License-Identifier: Apache-2.0
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
    /// - Throws: `BPFError` where the kernel's iterator over processes fails; `Failure` where the file can't be written.
    mutating func sample() throws -> UInt64 {
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
            time: .now, bootNanoseconds: machine.sinceBoot, pageBytes: UInt64(pageBytes),
            totalBytes: machine.total, availableBytes: machine.available, swapTotalBytes: machine.swapTotal,
            swapFreeBytes: machine.swapFree, stalledNanoseconds: machine.stalled,
            cgroups: known.cgroups.filter { $0.usageBytes != nil || used.contains($0.id) },
            processes: chosen)
        if keepsRecent {
            if recent.count >= Self.mostRecent { recent.removeFirst() }
            recent.append(sample)
        }
        try file?.write(.sample(sample))
        return due
    }

    /// Notes a kill.
    ///
    /// - Parameter record: the record of BPF/oomkill.bpf.c.
    /// - Throws: `Failure` where the file can't be written.
    mutating func note(kill record: [UInt8], at time: WallTime) throws(Failure) {
        try file?.write(.kill(time, record))
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
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        sinceBoot = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
