// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf

/// A map of an object that is not loaded yet: what its file says of it, and its set-up.
///
/// Once the object is loaded, libbpf refuses every change.
public struct OpenMap {
    let handle: ObjectHandle
    let raw: OpaquePointer

    public var name: String {
        // SAFETY: the name is NUL-terminated and lives as long as the object.
        String(cString: bpf_map__name(raw))
    }

    /// The kernel's name of the type, e.g. `percpu_array`.
    public var type: String {
        // SAFETY: libbpf's type names are literals.
        libbpf_bpf_map_type_str(bpf_map__type(raw)).map { String(cString: $0) } ?? "?"
    }

    /// Bytes.
    public var keySize: Int { Int(bpf_map__key_size(raw)) }
    /// Bytes; of one CPU's value for a per-CPU map.
    public var valueSize: Int { Int(bpf_map__value_size(raw)) }
    /// Entries; bytes for a ring buffer.
    public var maxEntries: Int { Int(bpf_map__max_entries(raw)) }

    /// Leaves it out: a map of a type that this kernel may not have, used by no program loaded.
    ///
    /// - Throws: `BPFError` where the object is loaded already.
    public func omit() throws(BPFError) {
        try checked("omit map \(name)") { bpf_map__set_autocreate(raw, false) }
    }

    /// Sizes it, in entries (bytes for a ring buffer).
    ///
    /// - Throws: `BPFError` where the object is loaded already.
    public func setMaxEntries(_ entries: Int) throws(BPFError) {
        try checked("size map \(name)") {
            bpf_map__set_max_entries(raw, UInt32(clamping: entries))
        }
    }

    /// Allocates all of a hash map's entries when it is created (true) or as they come
    /// (false). Before 6.1 (fba1a1c6c912, "Convert hash map to bpf_mem_alloc") the kernel
    /// warns of tracing programs with the latter.
    ///
    /// - Throws: `BPFError` where the object is loaded already.
    public func setPreallocated(_ preallocated: Bool) throws(BPFError) {
        try checked("preallocate map \(name)") {
            let flags = bpf_map__map_flags(raw) & ~UInt32(BPF_F_NO_PREALLOC)
            return bpf_map__set_map_flags(
                raw, preallocated ? flags : flags | UInt32(BPF_F_NO_PREALLOC))
        }
    }

    /// Uses a map that is there already in place of a new one, which its object's programs then share.
    ///
    /// - Throws: `BPFError` where the object is loaded already, or the map can't be asked what it is.
    ///   One of another shape is refused by `load()`.
    public func reuse(_ map: some KernelMap) throws(BPFError) {
        let descriptor = map.descriptor
        try checked("reuse map \(name)") { bpf_map__reuse_fd(raw, descriptor) }
    }
}
