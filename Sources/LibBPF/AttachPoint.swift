// SPDX-License-Identifier: Apache-2.0

/// Where a program attaches, as its ELF section names it (`SEC("fentry/vfs_read")`).
public enum AttachPoint: Hashable, Sendable, CustomStringConvertible {
    /// A tracepoint with its arguments as the kernel's BTF types them.
    case btfTracepoint(String)
    /// A tracepoint with its arguments as plain words.
    case rawTracepoint(String)
    /// A tracepoint by its record: stable fields, needs tracefs.
    case tracepoint(category: String, name: String)
    /// A function's entry, by trampoline.
    case fentry(String)
    /// A function's return, by trampoline, with its arguments.
    case fexit(String)
    /// A function's entry, by breakpoint.
    case kprobe(String)
    /// A function's return, by breakpoint.
    case kretprobe(String)
    /// A dump of kernel objects, read as a file.
    case iterator(String)
    /// A user function; the file and the offset come at attach time.
    case userFunction(section: String)
    /// A perf event; it comes at attach time.
    case perfEvent
    /// Attached by hand, or not at all.
    case other(String)

    /// Reads a section name, with or without the `?` that keeps it from loading by itself.
    public init(section: String) {
        let section = section.hasPrefix("?") ? String(section.dropFirst()) : section
        let parts = section.split(separator: "/", maxSplits: 1).map(String.init)
        let kind = parts.first ?? ""
        let target = parts.count > 1 ? parts[1] : ""
        switch kind {
        case "tp_btf": self = .btfTracepoint(target)
        case "raw_tp", "raw_tracepoint": self = .rawTracepoint(target)
        case "tp", "tracepoint":
            let names = target.split(separator: "/", maxSplits: 1).map(String.init)
            self =
                names.count == 2
                ? .tracepoint(category: names[0], name: names[1]) : .other(section)
        case "fentry": self = .fentry(target)
        case "fexit": self = .fexit(target)
        case "kprobe": self = .kprobe(target)
        case "kretprobe": self = .kretprobe(target)
        case "iter": self = .iterator(target)
        case "perf_event": self = .perfEvent
        case "uprobe", "uretprobe", "uprobe.s", "uretprobe.s", "uprobe.multi", "uretprobe.multi",
            "uprobe.session":
            self = .userFunction(section: kind)
        default: self = .other(section)
        }
    }

    public var description: String {
        switch self {
        case .btfTracepoint(let name): "tp_btf/\(name)"
        case .rawTracepoint(let name): "raw_tp/\(name)"
        case .tracepoint(let category, let name): "tracepoint/\(category)/\(name)"
        case .fentry(let name): "fentry/\(name)"
        case .fexit(let name): "fexit/\(name)"
        case .kprobe(let name): "kprobe/\(name)"
        case .kretprobe(let name): "kretprobe/\(name)"
        case .iterator(let name): "iter/\(name)"
        case .userFunction(let section): section
        case .perfEvent: "perf_event"
        case .other(let section): section
        }
    }
}
