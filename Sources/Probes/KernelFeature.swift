// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import LibBPF
internal import Glibc

/// Something a kernel may have, with the test that tells.
public struct KernelFeature: Sendable {
    public let name: String
    /// The first kernel with it. A newer one on which the test says no has it
    /// configured out or refused, or the test is broken.
    public let since: KernelVersion
    /// What it is used for.
    public let use: String
    let probe: @Sendable (RunningKernel) -> Support

    /// Asks the running kernel.
    public func support(on kernel: RunningKernel) -> Support {
        kernel.support(for: .feature(name))
    }

    static func named(_ name: String) -> KernelFeature? { all.first { $0.name == name } }

    /// All features that any tool depends on.
    public static let all: [KernelFeature] = [
        KernelFeature(
            name: "BTF", since: KernelVersion(5, 2), use: "every tool: where the kernel keeps what"
        ) { kernel in
            kernel.missingBTF().map { .unsupported($0.reason) } ?? .supported
        },
        KernelFeature(name: "ring buffer", since: KernelVersion(5, 8), use: "events, in order") {
            _ in map(BPF_MAP_TYPE_RINGBUF)
        },
        KernelFeature(
            name: "task storage", since: KernelVersion(5, 11), use: "state kept with a task"
        ) { _ in map(BPF_MAP_TYPE_TASK_STORAGE) },
        KernelFeature(
            name: "per-CPU look-up", since: KernelVersion(5, 19),
            use: "exact resident sizes where counters are split over the CPUs"
        ) { _ in helper(BPF_FUNC_map_lookup_percpu_elem) },
        KernelFeature(
            name: "tp_btf", since: KernelVersion(5, 5), use: "tracepoints with typed arguments"
        ) { $0.support(for: .btfTracepoint("sched_process_exit")) },
        // Nothing in BTF tells. It is a trait to work around; where it is there unknown to
        // this test, what is skipped is still counted.
        KernelFeature(
            name: "preemptible tracepoints", since: KernelVersion(7, 0),
            use: "tp_btf programs that are skipped while a preempted task is in them"
        ) { _ in
            KernelVersion.running >= KernelVersion(7, 0)
                ? .supported : .unsupported("tracepoints run to their end here")
        },
        KernelFeature(
            name: "fentry", since: KernelVersion(5, 5), use: "kernel functions, at the least cost"
        ) { $0.support(for: .fentry("vfs_read")) },
        KernelFeature(
            name: "kprobes", since: KernelVersion(4, 1), use: "kernel functions where fentry is refused"
        ) { $0.support(for: .kprobe("vfs_read")) },
        KernelFeature(
            name: "tracefs", since: KernelVersion(4, 1), use: "tracepoints by their records"
        ) { $0.support(for: .tracepoint(category: "sched", name: "sched_process_exit")) },
        KernelFeature(
            name: "task iterator", since: KernelVersion(5, 8), use: "what is there at the start"
        ) { $0.support(for: .iterator("task")) },
        KernelFeature(name: "uprobes", since: KernelVersion(4, 1), use: "memleak of processes") {
            $0.support(for: .userFunction(section: "uprobe"))
        },
        KernelFeature(
            name: "multi-uprobe", since: KernelVersion(6, 6), use: "many allocator functions, one link"
        ) { _ in multiProbe(session: false) },
        KernelFeature(
            name: "uprobe session", since: KernelVersion(6, 13),
            use: "an allocator's entry and return, one trap"
        ) { _ in multiProbe(session: true) },
    ]

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
