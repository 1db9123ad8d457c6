// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

/// Where in a file's code a program attaches, and in which processes it runs.
public struct UprobeOptions: Hashable, Sendable {
    public enum Place: Hashable, Sendable {
        /// Bytes from the start of the file, as its program headers map it.
        case offset(UInt64)
        /// The entry of a function, which libbpf finds in the file's symbols.
        case symbol(String)
    }

    /// The file; without a slash, a library or program that libbpf looks for where the loader does.
    public var path: String
    public var place: Place
    /// At the function's return instead of its entry.
    public var onReturn: Bool
    /// One process, or nil for all.
    public var pid: Int32?
    /// What bpf_get_attach_cookie() gives there (Linux 5.15; 0 is refused nowhere).
    public var cookie: UInt64

    public init(
        path: String, at place: Place, onReturn: Bool = false, pid: Int32? = nil, cookie: UInt64 = 0
    ) {
        self.path = path
        self.place = place
        self.onReturn = onReturn
        self.pid = pid
        self.cookie = cookie
    }
}

/// Many places of one file, for one link.
public struct MultiUprobeOptions: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Runs at the entries (Linux 6.6).
        case entry
        /// Runs at the returns (Linux 6.6).
        case onReturn
        /// Runs at both, and may skip the return (Linux 6.13).
        case session
    }

    public var kind: Kind
    public var path: String
    /// Bytes from the start of the file, as its program headers map it.
    public var offsets: [UInt64]
    /// What bpf_get_attach_cookie() gives at each place; nil: 0 everywhere.
    public var cookies: [UInt64]?
    /// One process, or nil for all.
    public var pid: Int32?

    public init(
        _ kind: Kind, path: String, offsets: [UInt64], cookies: [UInt64]? = nil, pid: Int32? = nil
    ) {
        self.kind = kind
        self.path = path
        self.offsets = offsets
        self.cookies = cookies
        self.pid = pid
    }
}

extension Program {
    /// Attaches it to a place in a file's code.
    ///
    /// - Throws: `BPFError` where the file or its symbol can't be found, there is no such process,
    ///   or this kernel has no uprobes, or none with a cookie and one was asked for.
    public func attach(uprobe options: UprobeOptions) throws(BPFError) -> Link {
        var raw = bpf_uprobe_opts()
        clear(&raw)
        raw.sz = MemoryLayout<bpf_uprobe_opts>.size
        raw.retprobe = options.onReturn
        raw.bpf_cookie = options.cookie
        let pid = options.pid ?? -1
        switch options.place {
        case .offset(let offset):
            return try link(to: "\(options.path)+\(offset)") {
                bpf_program__attach_uprobe_opts(self.raw, pid, options.path, Int(truncatingIfNeeded: offset), &raw)
            }
        case .symbol(let symbol):
            return try link(to: "\(options.path):\(symbol)") {
                symbol.withCString { name in
                    // SAFETY: the name lives through the call that reads it.
                    raw.func_name = name
                    return bpf_program__attach_uprobe_opts(self.raw, pid, options.path, 0, &raw)
                }
            }
        }
    }

    /// Attaches it to many places of one file with one link.
    ///
    /// libbpf 1.1 does not know these links; the system call makes them. `OpenProgram.prepare`
    /// must have been called before the load.
    ///
    /// - Throws: `BPFError`: EINVAL where there are no offsets, or not a cookie each, or this kernel has
    ///   no such links; ENOENT where there is no such file, ESRCH where there is no such process.
    public func attach(multiUprobe options: MultiUprobeOptions) throws(BPFError) -> Link {
        let count = options.offsets.count
        guard count > 0, options.cookies.map({ $0.count == count }) ?? true else {
            throw BPFError(operation: "attach \(name): not a cookie an offset", code: EINVAL, program: name)
        }
        let result = options.offsets.withUnsafeBufferPointer { offsets in
            (options.cookies ?? []).withUnsafeBufferPointer { cookies -> Int32 in
                guard let base = offsets.baseAddress else { return -EINVAL }
                // SAFETY: the kernel reads exactly `count` words of each array during the call.
                return clibbpf_link_uprobe_multi(
                    descriptor, options.kind == .session ? 1 : 0, options.kind == .onReturn ? 1 : 0,
                    options.path, base, options.cookies == nil ? nil : cookies.baseAddress,
                    UInt32(clamping: count), options.pid ?? 0)
            }
        }
        return Link(
            .descriptor(try checkedCode(result, "attach \(name) to \(options.path)", program: name)))
    }
}
