// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
public import LibBPF
internal import Glibc
internal import SystemLayer
internal import SystemPackage

/// Asks the running kernel, mostly by loading a program that does nothing: what is
/// said to it is said to a real one. Nothing is attached to ask. Answers are kept.
public final class RunningKernel: KernelOracle {
    private var btf: KernelBTFBox?
    private var btfError: BPFError?
    private let btfPath: String?
    private var hooks: [AttachPoint: Support] = [:]
    private var requirements: [Requirement: Support] = [:]

    final class KernelBTFBox {
        let btf: KernelBTF
        init(_ btf: consuming KernelBTF) { self.btf = btf }
    }

    public let version = KernelVersion(release: KernelVersion.runningRelease)

    /// - Parameter btf: a file of BTF in place of the running kernel's own.
    public init(btf: String? = nil) { btfPath = btf }

    /// The error that reading the kernel's BTF gave, nil where it has BTF.
    public func missingBTF() -> BPFError? {
        _ = types()
        return btfError
    }

    /// The BTF is some 10 MB, and libbpf reads its own when it loads a program that attaches by it.
    public func relocationTypes(for object: borrowing OpenObject) -> BTFFile? {
        let subset = types().flatMap { types in try? types.btf.subset(for: object) }
        btf = nil
        return subset
    }

    func types() -> KernelBTFBox? {
        if btf == nil && btfError == nil {
            do throws(BPFError) {
                btf = KernelBTFBox(try KernelBTF(path: btfPath))
            } catch {
                btfError = error
            }
        }
        return btf
    }

    public func support(for hook: AttachPoint) -> Support {
        if let known = hooks[hook] { return known }
        let answer = ask(hook)
        hooks[hook] = answer
        return answer
    }

    public func support(for requirement: Requirement) -> Support {
        if let known = requirements[requirement] { return known }
        let answer = ask(requirement)
        requirements[requirement] = answer
        return answer
    }

    private func ask(_ hook: AttachPoint) -> Support {
        switch hook {
        case .btfTracepoint(let name):
            return load(
                BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, "tracepoint \(name)",
                btf: { $0.tracepointID(name) })
        case .fentry(let name):
            return load(
                BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, "function \(name)",
                btf: { $0.functionID(name) })
        case .fexit(let name):
            return load(
                BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, "function \(name)",
                btf: { $0.functionID(name) })
        case .iterator(let name):
            return load(
                BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "iterator \(name)",
                btf: { $0.functionID("bpf_iter_\(name)") })
        case .rawTracepoint(let name): return rawTracepoint(name)
        case .kprobe(let name): return kprobe(name, onReturn: false)
        case .kretprobe(let name): return kprobe(name, onReturn: true)
        case .tracepoint(let category, let name): return tracepoint(category, name)
        case .userFunction:
            return readOneLine("/sys/bus/event_source/devices/uprobe/type") == nil
                ? .unsupported("this kernel has no uprobes (CONFIG_UPROBE_EVENTS)") : .supported
        case .perfEvent, .other: return .supported
        }
    }

    private func load(
        _ type: bpf_prog_type, _ attach: bpf_attach_type, _ what: String,
        btf id: (borrowing KernelBTF) -> UInt32?
    ) -> Support {
        guard let types = types() else { return noBTF }
        guard let id = id(types.btf) else { return .unsupported("this kernel has no \(what)") }
        return trial(Int32(type.rawValue), Int32(attach.rawValue), id)
    }

    /// Loads a program that does nothing, and lets go of it.
    private func trial(_ type: Int32, _ attach: Int32, _ btfID: UInt32) -> Support {
        let result = clibbpf_load_empty(type, attach, btfID)
        if result >= 0 {
            close(result)
            return .supported
        }
        return .unsupported("the kernel refuses it: \(errorText(-result))")
    }

    private func rawTracepoint(_ name: String) -> Support {
        let program = clibbpf_load_empty(Int32(BPF_PROG_TYPE_RAW_TRACEPOINT.rawValue), 0, 0)
        guard program >= 0 else {
            return .unsupported("the kernel refuses raw tracepoints: \(errorText(-program))")
        }
        defer { close(program) }
        let link = clibbpf_raw_tracepoint_open(name, program)
        guard link >= 0 else {
            return -link == ENOENT
                ? .unsupported("this kernel has no tracepoint \(name)")
                : .unsupported("the kernel refuses it: \(errorText(-link))")
        }
        close(link)
        return .supported
    }

    private func kprobe(_ name: String, onReturn: Bool) -> Support {
        guard let text = readOneLine("/sys/bus/event_source/devices/kprobe/type"),
            let type = UInt32(text)
        else { return .unsupported("this kernel has no kprobes (CONFIG_KPROBE_EVENTS)") }
        let event = clibbpf_open_kprobe(type, name, onReturn ? 1 : 0)
        guard event >= 0 else {
            return -event == ENOENT
                ? .unsupported("this kernel has no function \(name)")
                : .unsupported("the kernel refuses it: \(errorText(-event))")
        }
        close(event)
        return .supported
    }

    private func tracepoint(_ category: String, _ name: String) -> Support {
        for root in ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] {
            if readOneLine(FilePath("\(root)/events/\(category)/\(name)/id")) != nil { return .supported }
        }
        return .unsupported("no tracepoint \(category):\(name), or tracefs is not mounted")
    }
}
