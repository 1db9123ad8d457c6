// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

extension LoadedObject {
    private func link(
        _ program: String, to target: @autoclosure () -> String,
        _ attach: (OpaquePointer) -> OpaquePointer?
    ) throws(BPFError) -> Link {
        let raw = try handle.program(program)
        let link = try checkedPointer("attach \(program) to \(target())", program: program) {
            attach(raw)
        }
        return Link(.libbpf(link))
    }

    /// Attaches a program where its section says (tracepoints, functions, iterators).
    public func attach(_ program: String) throws(BPFError) -> Link {
        try link(program, to: "its section's hook") { bpf_program__attach($0) }
    }

    /// Attaches to a tracepoint by its record.
    public func attach(
        _ program: String, tracepoint category: String, _ name: String
    ) throws(BPFError) -> Link {
        try link(program, to: "\(category):\(name)") {
            bpf_program__attach_tracepoint($0, category, name)
        }
    }

    /// Attaches to a tracepoint whose arguments come as plain words.
    public func attach(_ program: String, rawTracepoint name: String) throws(BPFError) -> Link {
        try link(program, to: name) { bpf_program__attach_raw_tracepoint($0, name) }
    }

    /// Attaches to a kernel function by breakpoint.
    public func attach(
        _ program: String, kprobe function: String, onReturn: Bool = false
    ) throws(BPFError) -> Link {
        try link(program, to: function) { bpf_program__attach_kprobe($0, onReturn, function) }
    }

    /// Attaches to a place in a file's text.
    ///
    /// - Parameters:
    ///   - offset: bytes from the start of the file, as the program headers map it.
    ///   - pid: one process, or nil for all.
    ///   - cookie: what bpf_get_attach_cookie() gives there (Linux 5.15; 0 before).
    public func attach(
        _ program: String, uprobe path: String, offset: UInt64, onReturn: Bool = false,
        pid: Int32? = nil, cookie: UInt64 = 0
    ) throws(BPFError) -> Link {
        try link(program, to: "\(path)+\(offset)") {
            clibbpf_attach_uprobe($0, onReturn ? 1 : 0, pid ?? -1, path, Int(offset), cookie)
        }
    }

    /// Attaches to a function of a file by its symbol, found by libbpf.
    public func attach(
        _ program: String, uprobe path: String, symbol: String, onReturn: Bool = false,
        pid: Int32? = nil
    ) throws(BPFError) -> Link {
        try link(program, to: "\(path):\(symbol)") { raw in
            symbol.withCString { name in
                var options = bpf_uprobe_opts()
                options.sz = MemoryLayout<bpf_uprobe_opts>.size
                options.retprobe = onReturn
                // SAFETY: the name lives through the call that reads it.
                options.func_name = name
                return bpf_program__attach_uprobe_opts(raw, pid ?? -1, path, 0, &options)
            }
        }
    }

    /// What a multi-uprobe link does at its places.
    public enum MultiProbe: Sendable {
        /// Runs at the entries (Linux 6.6).
        case entry
        /// Runs at the returns (Linux 6.6).
        case onReturn
        /// Runs at both, and may skip the return (Linux 6.13).
        case session
    }

    /// Attaches to many places of one file with one link.
    ///
    /// libbpf 1.1 does not know these links; the system call makes them. The
    /// program's expected attach type must be set by `prepareMultiProbe` before load.
    public func attach(
        _ program: String, multiProbe kind: MultiProbe, path: String, offsets: [UInt64],
        cookies: [UInt64]? = nil, pid: Int32? = nil
    ) throws(BPFError) -> Link {
        let descriptor = try descriptor(ofProgram: program)
        precondition(cookies.map { $0.count == offsets.count } ?? true, "a cookie an offset")
        let result = try checked("attach \(program) to \(path)", program: program) {
            // SAFETY: the kernel reads exactly `count` words of each array during the call.
            offsets.withUnsafeBufferPointer { offsets in
                guard let base = offsets.baseAddress else { return -22 }
                func create(_ cookies: UnsafePointer<UInt64>?) -> Int32 {
                    clibbpf_link_uprobe_multi(
                        descriptor, kind == .session ? 1 : 0, kind == .onReturn ? 1 : 0, path, base,
                        cookies, nil, UInt32(offsets.count), pid ?? 0)
                }
                guard let cookies else { return create(nil) }
                return cookies.withUnsafeBufferPointer { create($0.baseAddress) }
            }
        }
        return Link(.descriptor(result))
    }

    /// Attaches to a perf event, which the link owns from then on.
    public func attach(
        _ program: String, perfEvent descriptor: Int32
    ) throws(BPFError) -> Link {
        try link(program, to: "a perf event") {
            bpf_program__attach_perf_event($0, descriptor)
        }
    }

    /// Runs an iterator's program over all its objects and returns what it wrote.
    @discardableResult
    public func runIterator(_ program: String) throws(BPFError) -> [UInt8] {
        let link = try attach(program)
        let linkDescriptor = link.descriptor
        let file = OwnedDescriptor(
            owning: try checked("run iterator \(program)", program: program) {
                bpf_iter_create(linkDescriptor)
            })
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(file.raw, &buffer, buffer.count)
            if count == 0 { return output }
            if count > 0 {
                output += buffer.prefix(count)
            } else if errno != EINTR && errno != EAGAIN {
                let code = errno
                throw BPFError(operation: "run iterator \(program)", code: code, program: program)
            }
        }
    }
}

extension OpenObject {
    /// Marks a program for a multi-uprobe or session link; to be called before `load()`.
    public func prepareMultiProbe(
        _ program: String, session: Bool
    ) throws(BPFError) {
        let raw = try handle.program(program)
        let type = bpf_attach_type(rawValue: UInt32(clibbpf_uprobe_attach_type(session ? 1 : 0)))
        try checked("prepare program \(program)", program: program) {
            bpf_program__set_type(raw, BPF_PROG_TYPE_KPROBE)
            return bpf_program__set_expected_attach_type(raw, type)
        }
    }
}
