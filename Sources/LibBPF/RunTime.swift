// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

/// Has the kernel measure the time that programs run, of all programs, while this lives
/// (BPF_ENABLE_STATS, Linux 5.8). Two reads of the clock a run are what it costs.
public struct RunTimeStatistics: ~Copyable {
    private let descriptor: OwnedDescriptor

    /// - Throws: `BPFError`; CAP_SYS_ADMIN is needed.
    public init() throws(BPFError) {
        descriptor = OwnedDescriptor(
            owning: try checked("measure programs' run time") { bpf_enable_stats(BPF_STATS_RUN_TIME) })
    }
}

extension LoadedObject {
    /// Nanoseconds that a program ran, all CPUs together, while the kernel measured.
    public func runTime(ofProgram name: String) throws(BPFError) -> UInt64 {
        let descriptor = try descriptor(ofProgram: name)
        var info = bpf_prog_info()
        var size = UInt32(MemoryLayout<bpf_prog_info>.size)
        try checked("ask about program \(name)", program: name) {
            // SAFETY: the kernel writes at most `size` bytes.
            bpf_obj_get_info_by_fd(descriptor, &info, &size)
        }
        return info.run_time_ns
    }
}
