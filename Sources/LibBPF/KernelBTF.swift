// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc
internal import SystemLayer

/// A file of BTF in memory, gone with its owner.
public struct BTFFile: ~Copyable {
    private let file: OwnedDescriptor

    fileprivate init(_ descriptor: Int32) { file = OwnedDescriptor(owning: descriptor) }

    /// For `OpenObject`; names the file while this lives, in this process. libbpf reads it at the load.
    public var path: String { "/proc/self/fd/\(file.raw)" }
}

/// The running kernel's type information, to ask what it has before loading anything.
public struct KernelBTF: ~Copyable {
    private let raw: OpaquePointer

    /// Reads /sys/kernel/btf/vmlinux, or a file of BTF.
    ///
    /// - Throws: `BPFError`: ENOENT or ESRCH where the kernel or the path has none, EINVAL or one of libbpf's own
    ///   numbers (4000 and more) where the file is of another format.
    public init(path: String? = nil) throws(BPFError) {
        raw = try checkedPointer("read the kernel's BTF") {
            if let path { btf__parse(path, nil) } else { btf__load_vmlinux_btf() }
        }
    }

    deinit { btf__free(raw) }

    /// The types that an object can be relocated to, as a file of BTF in memory: libbpf looks through all
    /// types once for every one that an object names, which takes most of a load's time with the kernel's
    /// 150 000.
    ///
    /// - Throws: `BPFError`: ENOMEM, or what writing to a file in memory gives.
    public func subset(for object: borrowing OpenObject) throws(BPFError) -> BTFFile {
        BTFFile(
            try checked("select types for \(object.handle.name)") {
                clibbpf_subset(raw, object.handle.raw)
            })
    }

    private func find(_ name: String, kind: Int) -> UInt32? {
        let id = btf__find_by_name_kind(raw, name, UInt32(kind))
        return id > 0 ? UInt32(id) : nil
    }

    /// The id of a function, for tracing programs; nil where BTF has none of this name.
    public func functionID(_ name: String) -> UInt32? { find(name, kind: BTF_KIND_FUNC) }

    /// The id a program names to attach to a tracepoint by BTF.
    public func tracepointID(_ name: String) -> UInt32? {
        find("btf_trace_\(name)", kind: BTF_KIND_TYPEDEF)
    }

    /// The types of a tracepoint's arguments: the name of what a pointer points to
    /// with a star behind it (`task_struct *`), or of the value (`int`).
    public func tracepointArguments(_ name: String) -> [String]? {
        // btf_trace_x is a pointer to a function: (void *context, arguments…)
        guard let id = tracepointID(name), let pointer = target(of: id),
            let prototype = target(of: pointer)
        else { return nil }
        return parameters(of: prototype).map { Array($0.dropFirst()) }
    }

    /// The types of a function's arguments, spelt as `tracepointArguments` does.
    public func functionArguments(_ name: String) -> [String]? {
        guard let id = functionID(name), let prototype = target(of: id) else { return nil }
        return parameters(of: prototype)
    }

    /// Does a function give a value back? fexit reads none of one that doesn't.
    public func returnsValue(_ name: String) -> Bool {
        guard let id = functionID(name), let prototype = target(of: id),
            let result = target(of: prototype)
        else { return false }
        return result != 0
    }

    /// The type of what a function gives back; nil where BTF has none of this name.
    public func functionResult(_ name: String) -> String? {
        guard let id = functionID(name), let prototype = target(of: id),
            let result = target(of: prototype)
        else { return nil }
        return spelling(of: result)
    }

    /// Is there a struct of this name?
    public func hasStruct(_ name: String) -> Bool { find(name, kind: BTF_KIND_STRUCT) != nil }

    /// The type that a pointer, typedef, function or qualifier leads to.
    private func target(of id: UInt32) -> UInt32? {
        // SAFETY: libbpf returns a pointer into its own BTF data, or NULL.
        btf__type_by_id(raw, id).map { $0.pointee.type }
    }

    private func parameters(of prototype: UInt32) -> [String]? {
        guard let type = btf__type_by_id(raw, prototype) else { return nil }
        // SAFETY: BTF stores vlen parameters right behind the prototype; libbpf checked that.
        let count = Int(type.pointee.info & 0xffff)
        let parameters = UnsafeRawPointer(type.advanced(by: 1))
            .assumingMemoryBound(to: btf_param.self)
        return (0..<count).map { index in
            spelling(of: parameters[index].type)
        }
    }

    private func spelling(of id: UInt32) -> String {
        var id = id
        var stars = ""
        for _ in 0..<8 {
            guard id != 0, let type = btf__type_by_id(raw, id) else { break }
            let kind = Int((type.pointee.info >> 24) & 0x1f)
            switch kind {
            case BTF_KIND_PTR: stars += stars.isEmpty ? " *" : "*"
            case BTF_KIND_CONST, BTF_KIND_VOLATILE, BTF_KIND_RESTRICT: break
            default:
                let name = btf__name_by_offset(raw, type.pointee.name_off)
                    .map { String(cString: $0) }
                return (name ?? "?") + stars
            }
            id = type.pointee.type
        }
        return "void" + stars
    }
}
