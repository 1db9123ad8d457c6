// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import SystemLayer

/// What the kernel says of a program that is loaded.
public struct ProgramInfo: Hashable, Sendable {
    /// The kernel's number of it.
    public let id: UInt32
    /// The kernel's digest of its instructions as they were loaded: relocated, not verified yet.
    public let tag: UInt64
    /// Nanoseconds that it ran, all CPUs together, while `RunTimeStatistics` lived.
    public let runTimeNanoseconds: UInt64
    /// How often it ran, while `RunTimeStatistics` lived.
    public let runs: UInt64
    /// How often the kernel skipped it because it was running on that CPU already: a task that
    /// was preempted in it kept another's event from being seen (Linux 5.12; 0 before, where
    /// nothing is skipped).
    public let skippedRuns: UInt64
}

extension Program {
    /// Asks the kernel about it.
    ///
    /// - Throws: `BPFError` where the kernel refuses to tell (EPERM without CAP_SYS_ADMIN on
    ///   kernels before 5.8).
    public func info() throws(BPFError) -> ProgramInfo {
        var info = bpf_prog_info()
        var size = UInt32(MemoryLayout<bpf_prog_info>.size)
        // SAFETY: the kernel writes at most `size` bytes.
        try checkedCode(
            bpf_obj_get_info_by_fd(descriptor, &info, &size), "ask about program \(name)", program: name)
        // SAFETY: eight bytes.
        let tag = withUnsafeBytes(of: info.tag) { $0.loadUnaligned(as: UInt64.self) }
        return ProgramInfo(
            id: info.id, tag: tag, runTimeNanoseconds: info.run_time_ns, runs: info.run_cnt,
            skippedRuns: info.recursion_misses)
    }
}

/// Has the kernel measure the time that programs run, of all programs, while this lives
/// (BPF_ENABLE_STATS, Linux 5.8). Two reads of the clock a run are what it costs.
public struct RunTimeStatistics: ~Copyable {
    private let descriptor: OwnedDescriptor

    /// - Throws: `BPFError`: EPERM without CAP_SYS_ADMIN, EINVAL before Linux 5.8.
    public init() throws(BPFError) {
        descriptor = OwnedDescriptor(
            owning: try checkedCode(bpf_enable_stats(BPF_STATS_RUN_TIME), "measure programs' run time"))
    }
}
