// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

/// A map in the kernel. It stays there while a value of this type lives.
public protocol KernelMap {
    /// For what this library doesn't do with maps. Valid while the map's owner lives.
    var descriptor: Int32 { get }
    var name: String { get }
}

extension KernelMap {
    /// Gives the map a name in a BPF file system, which keeps it in the kernel from then on:
    /// until the file is removed.
    ///
    /// - Throws: `BPFError`: EEXIST where there is such a file, EINVAL where the path is not in a
    ///   BPF file system (`mount -t bpf`), EPERM without CAP_BPF.
    public func pin(at path: String) throws(BPFError) {
        try checkedCode(bpf_obj_pin(descriptor, path), "pin map \(name) at \(path)")
    }
}

/// The CPUs a per-CPU map has a value for: all possible ones, on line or not.
public let possibleCPUs: Int = max(1, Int(libbpf_num_possible_cpus()))

/// What a map is made of.
enum MapKind: Equatable {
    /// One value a key.
    case plain
    /// One value a key and CPU.
    case perCPU
    case ofMaps
    case ringBuffer
    /// Not for this library to read.
    case other

    init(_ type: bpf_map_type) {
        self =
            switch type {
            case BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LPM_TRIE: .plain
            case BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_LRU_PERCPU_HASH: .perCPU
            case BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS: .ofMaps
            case BPF_MAP_TYPE_RINGBUF: .ringBuffer
            default: .other
            }
    }
}

/// A map's descriptor with what it takes to use it, shared by all values that stand for the map.
final class MapHandle {
    /// What keeps the descriptor open.
    enum Owner {
        /// The object that the map belongs to.
        case object(ObjectHandle)
        /// The handle alone.
        case itself
    }

    let name: String
    let descriptor: Int32
    let kind: MapKind
    let keySize: Int
    /// One CPU's, for a per-CPU map.
    let valueSize: Int
    let maxEntries: Int
    private let owner: Owner

    init(
        name: String, descriptor: Int32, owner: Owner, type: bpf_map_type, keySize: Int, valueSize: Int,
        maxEntries: Int
    ) {
        self.name = name
        self.descriptor = descriptor
        self.owner = owner
        kind = MapKind(type)
        self.keySize = keySize
        self.valueSize = valueSize
        self.maxEntries = maxEntries
    }

    deinit {
        if case .itself = owner { close(descriptor) }
    }

    /// Makes sure that the kernel reads and writes as many bytes as these types have.
    ///
    /// - Throws: `BPFError`, EINVAL, where it would not.
    func require<Key, Value>(_ wanted: MapKind, _ key: Key.Type, _ value: Value.Type) throws(BPFError) {
        guard kind == wanted else {
            throw BPFError(operation: "map \(name) is of another kind", code: EINVAL)
        }
        guard keySize == MemoryLayout<Key>.size, valueSize == MemoryLayout<Value>.size else {
            throw BPFError(
                operation: "map \(name) holds \(keySize) → \(valueSize) bytes, not \(Key.self) → \(Value.self)",
                code: EINVAL)
        }
    }

    /// Removes a key; says whether it was there.
    func remove(_ key: some BitwiseCopyable) throws(BPFError) -> Bool {
        // SAFETY: the kernel reads a key, whose size was checked when the map was taken.
        let code = withUnsafePointer(to: key) { bpf_map_delete_elem(descriptor, $0) }
        if code == -ENOENT { return false }
        try checkedCode(code, "delete from map \(name)")
        return true
    }
}
