// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc
internal import SystemLayer

/// How a map that belongs to no object is made.
public struct MapOptions: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// A hash map takes room for its entries as they come (BPF_F_NO_PREALLOC).
    public static let noPreallocation = MapOptions(rawValue: UInt32(BPF_F_NO_PREALLOC))
    /// An array for a map of maps whose arrays have sizes of their own (BPF_F_INNER_MAP, Linux 5.10).
    public static let innerMap = MapOptions(rawValue: UInt32(BPF_F_INNER_MAP))
}

extension MapHandle {
    /// - Parameter name: the kernel keeps 15 characters of it: letters, digits, `_` and `.`.
    fileprivate static func create<Key, Value>(
        _ type: bpf_map_type, name: String, _ key: Key.Type, _ value: Value.Type, maxEntries: Int, _ options: MapOptions
    ) throws(BPFError) -> MapHandle {
        var raw = bpf_map_create_opts()
        clear(&raw)
        raw.sz = MemoryLayout<bpf_map_create_opts>.size
        raw.map_flags = options.rawValue
        let (keySize, valueSize) = (MemoryLayout<Key>.size, MemoryLayout<Value>.size)
        let descriptor = try checked("create map \(name)") {
            bpf_map_create(
                type, name, UInt32(clamping: keySize), UInt32(clamping: valueSize), UInt32(clamping: maxEntries), &raw)
        }
        return MapHandle(
            name: name, descriptor: descriptor, owner: .itself, type: type, keySize: keySize,
            valueSize: valueSize, maxEntries: maxEntries)
    }

    /// The map that is pinned at a path.
    fileprivate static func pinned(at path: String) throws(BPFError) -> MapHandle {
        let owned = OwnedDescriptor(
            owning: try checkedCode(bpf_obj_get(path), "open the map pinned at \(path)"))
        var info = bpf_map_info()
        var size = UInt32(MemoryLayout<bpf_map_info>.size)
        // SAFETY: the kernel writes at most `size` bytes.
        try checkedCode(
            bpf_obj_get_info_by_fd(owned.raw, &info, &size), "ask about the map pinned at \(path)")
        // SAFETY: the kernel NUL-terminates the name within its array.
        let name = withUnsafeBytes(of: info.name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return MapHandle(
            name: name, descriptor: owned.release(), owner: .itself, type: bpf_map_type(rawValue: info.type),
            keySize: Int(info.key_size), valueSize: Int(info.value_size), maxEntries: Int(info.max_entries))
    }
}

extension BPFMap {
    /// What a map that belongs to no object is made as.
    public enum Kind: Hashable, Sendable {
        case hash, array
        /// Makes room by forgetting what was not used for longest.
        case lruHash

        fileprivate var type: bpf_map_type {
            switch self {
            case .hash: BPF_MAP_TYPE_HASH
            case .array: BPF_MAP_TYPE_ARRAY
            case .lruHash: BPF_MAP_TYPE_LRU_HASH
            }
        }
    }

    /// Makes a map that belongs to no object: for a map of maps, or for an object to reuse.
    ///
    /// - Parameters:
    ///   - kind: what it is made as.
    ///   - name: the kernel keeps 15 characters of it: letters, digits, `_` and `.`.
    ///   - maxEntries: how many entries it has room for.
    ///   - options: what else it is made with.
    /// - Throws: `BPFError`: EINVAL where there is no such map (an array's keys have four bytes),
    ///   E2BIG or ENOMEM where it is too large, EPERM without CAP_BPF.
    public static func create(
        _ kind: Kind, name: String, maxEntries: Int, options: MapOptions = []
    ) throws(BPFError) -> BPFMap {
        try BPFMap(
            handle: MapHandle.create(
                kind.type, name: name, Key.self, Value.self, maxEntries: maxEntries, options))
    }

    /// The map that is pinned at a path of a BPF file system.
    ///
    /// - Throws: `BPFError`: ENOENT where there is none; EINVAL where it is of another kind, or its
    ///   keys or values are of another size.
    public static func pinned(at path: String) throws(BPFError) -> BPFMap {
        try BPFMap(handle: MapHandle.pinned(at: path))
    }
}

extension PerCPUMap {
    /// What a map that belongs to no object is made as.
    public enum Kind: Hashable, Sendable { case hash, array }

    /// Makes a map that belongs to no object, as `BPFMap.create` does.
    ///
    /// - Throws: `BPFError` as `BPFMap.create` does.
    public static func create(
        _ kind: Kind, name: String, maxEntries: Int, options: MapOptions = []
    ) throws(BPFError) -> PerCPUMap {
        let type = kind == .hash ? BPF_MAP_TYPE_PERCPU_HASH : BPF_MAP_TYPE_PERCPU_ARRAY
        return try PerCPUMap(
            handle: MapHandle.create(type, name: name, Key.self, Value.self, maxEntries: maxEntries, options))
    }

    /// The map that is pinned at a path of a BPF file system.
    ///
    /// - Throws: `BPFError` as `BPFMap.pinned` does.
    public static func pinned(at path: String) throws(BPFError) -> PerCPUMap {
        try PerCPUMap(handle: MapHandle.pinned(at: path))
    }
}
