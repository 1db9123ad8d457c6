// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import LibBPF
internal import Glibc

/// Something a kernel may have, that tools depend on, with the test that tells.
public enum KernelFeature: String, CaseIterable, Hashable, Sendable {
    /// Type information: where the kernel keeps what.
    case typeInformation = "BTF"
    /// Events, in order.
    case ringBuffer = "ring buffer"
    /// State kept with a task.
    case taskStorage = "task storage"
    /// Any CPU's part of a per-CPU variable: exact resident sizes where counters are split over the CPUs.
    case perCPULookup = "per-CPU look-up"
    /// Tracepoints with typed arguments.
    case typedTracepoints = "tp_btf"
    /// Programs on typed tracepoints are skipped while a preempted task is in them.
    case preemptibleTracepoints = "preemptible tracepoints"
    /// Kernel functions, at the least cost.
    case fentry
    /// Kernel functions where fentry is refused.
    case kprobes
    /// Tracepoints by their records.
    case tracefs
    /// What is there at the start.
    case taskIterator = "task iterator"
    /// User functions.
    case uprobes
    /// Many user functions, one link.
    case multiUprobe = "multi-uprobe"
    /// A user function's entry and return, one trap.
    case uprobeSession = "uprobe session"

    /// Its name, for users.
    public var name: String { rawValue }

    /// The first kernel with it. A newer one on which the test says no has it
    /// configured out or refused, or the test is broken.
    public var since: KernelVersion {
        switch self {
        case .typeInformation: KernelVersion(5, 2)
        case .ringBuffer, .taskIterator: KernelVersion(5, 8)
        case .taskStorage: KernelVersion(5, 11)
        case .perCPULookup: KernelVersion(5, 19)
        case .typedTracepoints, .fentry: KernelVersion(5, 5)
        case .preemptibleTracepoints: KernelVersion(7, 0)
        case .kprobes, .tracefs, .uprobes: KernelVersion(4, 1)
        case .multiUprobe: KernelVersion(6, 6)
        case .uprobeSession: KernelVersion(6, 13)
        }
    }

    /// Asks the running kernel.
    public func support(on kernel: RunningKernel) -> Support { kernel.support(for: .feature(self)) }

    func probe(_ kernel: RunningKernel) -> Support {
        switch self {
        case .typeInformation: return kernel.missingBTF().map { .unsupported($0.reason) } ?? .supported
        case .ringBuffer: return Self.map(BPF_MAP_TYPE_RINGBUF)
        case .taskStorage: return Self.map(BPF_MAP_TYPE_TASK_STORAGE)
        case .perCPULookup: return Self.helper(BPF_FUNC_map_lookup_percpu_elem)
        case .typedTracepoints: return kernel.support(for: .btfTracepoint("sched_process_exit"))
        case .preemptibleTracepoints:
            // Nothing in BTF tells. It is a trait to work around; where it is there unknown to
            // this test, what is skipped is still counted.
            return (kernel.version ?? since) >= since
                ? .supported : .unsupported("tracepoints run to their end here")
        case .fentry: return kernel.support(for: .fentry("vfs_read"))
        case .kprobes: return kernel.support(for: .kprobe("vfs_read"))
        case .tracefs: return kernel.support(for: .tracepoint(category: "sched", name: "sched_process_exit"))
        case .taskIterator: return kernel.support(for: .iterator("task"))
        case .uprobes: return kernel.support(for: .userFunction(section: "uprobe"))
        case .multiUprobe: return Self.multiProbe(session: false)
        case .uprobeSession: return Self.multiProbe(session: true)
        }
    }

    private static func map(_ type: bpf_map_type) -> Support {
        answer(libbpf_probe_bpf_map_type(type, nil))
    }

    private static func helper(_ function: bpf_func_id) -> Support {
        answer(libbpf_probe_bpf_helper(BPF_PROG_TYPE_TRACEPOINT, function, nil))
    }

    private static func answer(_ code: Int32) -> Support {
        switch code {
        case 1: .supported
        case 0: .unsupported("this kernel does not have it")
        default: .unknown(errorText(-code))
        }
    }

    /// A link to a directory is a bad descriptor (EBADF) to a kernel that knows
    /// these links, an invalid argument to one that doesn't.
    private static func multiProbe(session: Bool) -> Support {
        let program = clibbpf_load_empty(
            Int32(BPF_PROG_TYPE_KPROBE.rawValue), clibbpf_uprobe_attach_type(session ? 1 : 0), 0)
        guard program >= 0 else { return .unsupported("this kernel does not have it") }
        defer { close(program) }
        var offset: UInt64 = 0
        // SAFETY: one offset, read during the call.
        let link = clibbpf_link_uprobe_multi(
            program, session ? 1 : 0, 0, "/", &offset, nil, 1, 0)
        if link >= 0 {
            close(link)
            return .unknown("a link to a directory was accepted")
        }
        switch -link {
        case EBADF, EISDIR:
            // The first kernels took the process asked for as one thread of it; with the
            // repair (6.10, 46ba0e49b642) came the refusal of an impossible process.
            // SAFETY: as above.
            let impossible = clibbpf_link_uprobe_multi(
                program, session ? 1 : 0, 0, "/", &offset, nil, 1, -1)
            if impossible >= 0 { close(impossible) }
            return impossible == -EINVAL
                ? .supported : .unsupported("this kernel sees one thread of a process only")
        case EINVAL, EOPNOTSUPP: return .unsupported("this kernel does not have it")
        default: return .unknown(errorText(-link))
        }
    }
}
