// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

/// What a loaded map is.
struct MapInfo {
    let name: String
    let descriptor: Int32
    let type: bpf_map_type
    let keySize: Int
    /// Of one CPU, for a per-CPU map.
    let valueSize: Int
}

/// The CPUs a per-CPU map has a value for: all possible ones, on line or not.
public let possibleCPUs: Int = max(1, Int(libbpf_num_possible_cpus()))

/// A map with one value a key. It borrows the object's descriptor: use it while
/// the object lives.
public struct BPFMap<Key: BitwiseCopyable, Value: BitwiseCopyable> {
    let info: MapInfo

    /// The value of a key, nil where there is none.
    public func value(for key: Key) throws(BPFError) -> Value? {
        var result: Value?
        let code = withBytes(of: key) { key in
            withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { value in
                guard let slot = value.baseAddress else { return -ENOMEM }
                // SAFETY: the kernel fills exactly valueSize bytes, checked to be Value's.
                let code = bpf_map_lookup_elem(info.descriptor, key, slot)
                if code == 0 { result = slot.pointee }
                return code
            }
        }
        if code == -ENOENT { return nil }
        try checked("look up in map \(info.name)") { code }
        return result
    }

    /// Sets a key's value.
    ///
    /// - Parameter onlyNew: leaves a value that is there already.
    public func set(_ key: Key, to value: Value, onlyNew: Bool = false) throws(BPFError) {
        let flags = UInt64(onlyNew ? BPF_NOEXIST : BPF_ANY)
        let code = withBytes(of: key) { key in
            withBytes(of: value) { value in
                bpf_map_update_elem(info.descriptor, key, value, flags)
            }
        }
        if onlyNew && code == -EEXIST { return }
        try checked("update map \(info.name)") { code }
    }

    /// Removes a key; says whether it was there.
    @discardableResult
    public func remove(_ key: Key) throws(BPFError) -> Bool {
        let code = withBytes(of: key) { bpf_map_delete_elem(info.descriptor, $0) }
        if code == -ENOENT { return false }
        try checked("delete from map \(info.name)") { code }
        return true
    }

    /// Visits every entry, in batches (Linux 5.6). Entries added or removed meanwhile
    /// may or may not be seen.
    public func forEach(_ body: (Key, Value) -> Void) throws(BPFError) {
        try walk(removing: false, valuesPerKey: 1) { key, values in
            // SAFETY: one value a key.
            if let first = values.first { body(key, first) }
        }
    }

    /// Visits and removes every entry: each update of the kernel's is either seen here
    /// or still in the map afterwards.
    public func drain(_ body: (Key, Value) -> Void) throws(BPFError) {
        try walk(removing: true, valuesPerKey: 1) { key, values in
            if let first = values.first { body(key, first) }
        }
    }
}

/// A map with a value a key and CPU.
public struct PerCPUMap<Key: BitwiseCopyable, Value: BitwiseCopyable> {
    let info: MapInfo

    /// Removes a key with all its values; says whether it was there.
    @discardableResult
    public func remove(_ key: Key) throws(BPFError) -> Bool {
        let code = withBytes(of: key) { bpf_map_delete_elem(info.descriptor, $0) }
        if code == -ENOENT { return false }
        try checked("delete from map \(info.name)") { code }
        return true
    }

    /// One value a possible CPU, in their order; nil where the key is not there.
    public func values(for key: Key) throws(BPFError) -> [Value]? {
        var result: [Value]?
        let code = withBytes(of: key) { key in
            withUnsafeTemporaryAllocation(
                byteCount: perCPUStride(info.valueSize) * possibleCPUs, alignment: 8
            ) { bytes in
                guard let base = bytes.baseAddress else { return -ENOMEM }
                // SAFETY: the kernel fills a padded value for every possible CPU.
                let code = bpf_map_lookup_elem(info.descriptor, key, base)
                if code == 0 {
                    result = (0..<possibleCPUs).map {
                        base.load(
                            fromByteOffset: $0 * perCPUStride(info.valueSize), as: Value.self)
                    }
                }
                return code
            }
        }
        if code == -ENOENT { return nil }
        try checked("look up in map \(info.name)") { code }
        return result
    }

    /// Visits every entry with its values by CPU.
    public func forEach(_ body: (Key, [Value]) -> Void) throws(BPFError) {
        try walk(removing: false, valuesPerKey: possibleCPUs) { key, values in
            body(key, Array(values))
        }
    }

    /// Visits and removes every entry with its values by CPU. What another CPU adds
    /// to an entry while it is removed is lost with it: read counters by `forEach`
    /// and differences where every count matters.
    public func drain(_ body: (Key, [Value]) -> Void) throws(BPFError) {
        try walk(removing: true, valuesPerKey: possibleCPUs) { key, values in
            body(key, Array(values))
        }
    }
}

extension PerCPUMap where Value: FixedWidthInteger {
    /// The sum over the CPUs, wrapping.
    public func sum(for key: Key) throws(BPFError) -> Value {
        (try values(for: key) ?? []).reduce(0, &+)
    }
}

/// The kernel pads each CPU's value to eight bytes.
private func perCPUStride(_ size: Int) -> Int { (size + 7) & ~7 }

private protocol WalkableMap<Key, Value> {
    associatedtype Key: BitwiseCopyable
    associatedtype Value: BitwiseCopyable
    var info: MapInfo { get }
}
extension BPFMap: WalkableMap {}
extension PerCPUMap: WalkableMap {}

extension WalkableMap {
    /// BPF_MAP_LOOKUP_BATCH and BPF_MAP_LOOKUP_AND_DELETE_BATCH until the map is
    /// through. A bucket that does not fit into the batch makes it grow (ENOSPC).
    fileprivate func walk(
        removing: Bool, valuesPerKey: Int,
        _ body: (Key, UnsafeBufferPointer<Value>) -> Void
    ) throws(BPFError) {
        let stride = valuesPerKey == 1 ? info.valueSize : perCPUStride(info.valueSize)
        var capacity = 256
        // hash maps use 4 bytes of position, arrays a key
        var position = [UInt8](repeating: 0, count: max(8, info.keySize))
        var started = false
        var values = [Value]()
        while true {
            var count = UInt32(capacity)
            var code: Int32 = 0
            withUnsafeTemporaryAllocation(
                byteCount: capacity * info.keySize, alignment: 8
            ) { keys in
                withUnsafeTemporaryAllocation(
                    byteCount: capacity * stride * valuesPerKey, alignment: 8
                ) { slots in
                    position.withUnsafeMutableBytes { position in
                        let from = started ? position.baseAddress : nil
                        // SAFETY: both buffers hold `capacity` entries; the kernel writes
                        // at most `count` of them and says how many.
                        code =
                            removing
                            ? bpf_map_lookup_and_delete_batch(
                                info.descriptor, from, position.baseAddress, keys.baseAddress,
                                slots.baseAddress, &count, nil)
                            : bpf_map_lookup_batch(
                                info.descriptor, from, position.baseAddress, keys.baseAddress,
                                slots.baseAddress, &count, nil)
                    }
                    guard code == 0 || code == -ENOENT else { return }
                    for entry in 0..<Int(count) {
                        let key = keys.loadUnaligned(
                            fromByteOffset: entry * info.keySize, as: Key.self)
                        values.removeAll(keepingCapacity: true)
                        for part in 0..<valuesPerKey {
                            let offset = (entry * valuesPerKey + part) * stride
                            values.append(
                                slots.loadUnaligned(fromByteOffset: offset, as: Value.self))
                        }
                        values.withUnsafeBufferPointer { body(key, $0) }
                    }
                }
            }
            if code == -ENOENT { return }
            if code == -ENOSPC && capacity < 1 << 20 {
                capacity *= 4
                continue
            }
            try checked("walk map \(info.name)") { code }
            started = true
        }
    }
}

private func withBytes<T: BitwiseCopyable>(
    of value: T, _ body: (UnsafeRawPointer) -> Int32
) -> Int32 {
    withUnsafePointer(to: value) { body(UnsafeRawPointer($0)) }
}

extension LoadedObject {
    /// A map by name.
    ///
    /// - Throws: `BPFError` when the key or the value is not of the map's size.
    public func map<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ name: String, key: Key.Type = Key.self, value: Value.Type = Value.self
    ) throws(BPFError) -> BPFMap<Key, Value> {
        BPFMap(info: try sized(name, key, value))
    }

    /// A per-CPU map by name.
    ///
    /// - Throws: `BPFError` when the key or the value is not of the map's size.
    public func perCPUMap<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ name: String, key: Key.Type = Key.self, value: Value.Type = Value.self
    ) throws(BPFError) -> PerCPUMap<Key, Value> {
        PerCPUMap(info: try sized(name, key, value))
    }

    private func sized<Key, Value>(
        _ name: String, _ key: Key.Type, _ value: Value.Type
    ) throws(BPFError) -> MapInfo {
        let info = try mapInfo(name)
        guard info.keySize == MemoryLayout<Key>.size, info.valueSize == MemoryLayout<Value>.size
        else {
            throw BPFError(
                operation:
                    "map \(name) holds \(info.keySize) → \(info.valueSize) bytes, not \(Key.self) → \(Value.self)",
                code: EINVAL)
        }
        return info
    }
}
