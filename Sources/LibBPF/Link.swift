// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

/// A program attached to a hook. Letting go of it detaches.
///
/// Keep it in a variable: `_ = program.attach()` detaches at once.
public struct Link: ~Copyable {
    enum Raw {
        case libbpf(OpaquePointer)
        case descriptor(Int32)
    }
    let raw: Raw

    init(_ raw: Raw) { self.raw = raw }

    deinit { raw.detach() }

    /// The link's descriptor, for what this library doesn't do with links.
    public var descriptor: Int32 { raw.descriptor }

    /// Gives the handle away, undetached.
    fileprivate consuming func release() -> Raw {
        let raw = self.raw
        discard self
        return raw
    }
}

extension Link.Raw {
    var descriptor: Int32 {
        switch self {
        case .libbpf(let link): bpf_link__fd(link)
        case .descriptor(let descriptor): descriptor
        }
    }

    func detach() {
        switch self {
        case .libbpf(let link): bpf_link__destroy(link)
        case .descriptor(let descriptor): close(descriptor)
        }
    }
}

/// What the kernel says of a link.
public struct LinkInfo: Hashable, Sendable {
    /// The kernel's number of it.
    public let id: UInt32
    /// The kernel's number of the program, as in `ProgramInfo`.
    public let programID: UInt32
}

extension Link {
    /// Asks the kernel about it.
    ///
    /// - Throws: `BPFError`: EINVAL where the hook has no link of the kernel's own (tracepoints by
    ///   records, kprobes and uprobes before Linux 5.15; raw tracepoints before 5.8).
    public func info() throws(BPFError) -> LinkInfo {
        var info = bpf_link_info()
        var size = UInt32(MemoryLayout<bpf_link_info>.size)
        // SAFETY: the kernel writes at most `size` bytes.
        try checkedCode(bpf_obj_get_info_by_fd(descriptor, &info, &size), "ask about a link")
        return LinkInfo(id: info.id, programID: info.prog_id)
    }

    /// Gives the link a name in a BPF file system, which keeps the program attached from then on:
    /// until the file is removed and nobody has it open.
    ///
    /// For probes by perf events (tracepoints by records, kprobes, uprobes) this process keeps a descriptor to its
    /// end, for libbpf would switch the event off as it closes it.
    ///
    /// - Throws: `BPFError`: EEXIST where there is such a file; EINVAL where the path is not in a BPF file
    ///   system (`mount -t bpf`), or the hook has no link of the kernel's own. The program is detached then.
    public consuming func pin(at path: String) throws(BPFError) {
        try checkedCode(bpf_obj_pin(descriptor, path), "pin a link at \(path)")
        switch release() {
        case .libbpf(let link):
            let descriptor = bpf_link__fd(link)
            bpf_link__disconnect(link)
            bpf_link__destroy(link)
            close(descriptor)
        case .descriptor(let descriptor): close(descriptor)
        }
    }

    /// The link that is pinned at a path of a BPF file system. Letting go of it leaves the program
    /// attached while the file is there.
    ///
    /// - Throws: `BPFError`: ENOENT where there is none, EINVAL where something else is pinned there.
    public static func pinned(at path: String) throws(BPFError) -> Link {
        let link = Link(.descriptor(try checkedCode(bpf_obj_get(path), "open the link pinned at \(path)")))
        // programs and maps can be pinned too; what a descriptor is of, its name in /proc says alone
        var text = [CChar](repeating: 0, count: 64)
        let length = readlink("/proc/self/fd/\(link.descriptor)", &text, text.count)
        let kind = String(decoding: text.prefix(max(0, length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard kind.hasPrefix("anon_inode:bpf"), kind.contains("link") else {
            throw BPFError(operation: "what is pinned at \(path) is no link", code: EINVAL)
        }
        return link
    }
}

/// Many links, detached together: the kernel lets go of a user probe only when no CPU can be in it any more, and
/// such waits can be one wait.
public struct LinkSet: ~Copyable {
    private var links: [Link.Raw] = []

    public init() {}

    /// Takes a link over.
    public mutating func insert(_ link: consuming Link) {
        links.append(link.release())
    }

    public var count: Int { links.count }

    deinit {
        var handles = links.map { link in
            switch link {
            case .libbpf(let link): clibbpf_handle(link: link, descriptor: -1)
            case .descriptor(let descriptor): clibbpf_handle(link: nil, descriptor: descriptor)
            }
        }
        // SAFETY: `count` handles, each owned by this set alone; the call has closed all when it returns.
        clibbpf_detach_all(&handles, handles.count)
    }
}
