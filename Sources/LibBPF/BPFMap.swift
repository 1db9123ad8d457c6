// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

/// When a value is put into a map.
public enum UpdateCondition: Hashable, Sendable {
    /// Always (BPF_ANY).
    case any
    /// Only where the key is not there yet (BPF_NOEXIST).
    case noExist
    /// Only where the key is there already (BPF_EXIST).
    case exist

    fileprivate var flags: UInt64 {
        switch self {
        case .any: UInt64(BPF_ANY)
        case .noExist: UInt64(BPF_NOEXIST)
        case .exist: UInt64(BPF_EXIST)
        }
    }
}

/// A map with one value a key: a hash, an array, an LRU hash or a trie.
public struct BPFMap<Key: BitwiseCopyable, Value: BitwiseCopyable>: KernelMap {
    let handle: MapHandle

    public var descriptor: Int32 { handle.descriptor }
    public var name: String { handle.name }

    init(handle: MapHandle) throws(BPFError) {
        try handle.require(.plain, Key.self, Value.self)
        self.handle = handle
    }

    /// The value of a key, nil where there is none.
    ///
    /// - Throws: `BPFError` where the kernel refuses: EPERM for a map that programs alone may read.
    public func value(for key: Key) throws(BPFError) -> Value? {
        var result: Value?
        let code = withUnsafePointer(to: key) { key in
            withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { value in
                guard let slot = value.baseAddress else { return -ENOMEM }
                // SAFETY: the kernel fills exactly valueSize bytes, checked to be Value's.
                let code = bpf_map_lookup_elem(handle.descriptor, key, slot)
                if code == 0 { result = slot.pointee }
                return code
            }
        }
        if code == -ENOENT { return nil }
        try checkedCode(code, "look up in map \(name)")
        return result
    }

    /// Sets a key's value.
    ///
    /// - Returns: whether it was set; false where the condition doesn't hold.
    /// - Throws: `BPFError`: E2BIG where the map is full, or an array has no such key; ENOMEM.
    @discardableResult
    public func set(_ key: Key, to value: Value, where condition: UpdateCondition = .any) throws(BPFError) -> Bool {
        let code = withUnsafePointer(to: key) { key in
            withUnsafePointer(to: value) { value in
                // SAFETY: the kernel reads a key and a value, whose sizes were checked.
                bpf_map_update_elem(handle.descriptor, key, value, condition.flags)
            }
        }
        switch (condition, code) {
        case (.noExist, -EEXIST), (.exist, -ENOENT): return false
        default: break
        }
        try checkedCode(code, "update map \(name)")
        return true
    }

    /// Removes a key.
    ///
    /// - Returns: whether it was there.
    /// - Throws: `BPFError` where the kernel refuses: EINVAL for an array.
    @discardableResult
    public func remove(_ key: Key) throws(BPFError) -> Bool { try handle.remove(key) }

    /// The keys, in the kernel's order, one system call each. Where a map changes meanwhile, some
    /// may be missing, and some come twice; there are never more than the map has room for.
    ///
    /// - Throws: `BPFError` where the kernel refuses.
    public func keys() throws(BPFError) -> [Key] { try handle.keys() }

    /// Visits every entry, in batches (Linux 5.6). Entries added or removed meanwhile
    /// may or may not be seen.
    ///
    /// - Throws: `BPFError` where the kernel refuses: EINVAL before Linux 5.6.
    public func forEach(_ body: (Key, Value) -> Void) throws(BPFError) {
        try handle.walk(removing: false, valuesPerKey: 1) { (key: Key, values: UnsafeBufferPointer<Value>) in
            // SAFETY: one value a key.
            if let first = values.first { body(key, first) }
        }
    }

    /// Visits and removes every entry: each update of the kernel's is either seen here
    /// or still in the map afterwards.
    ///
    /// - Throws: `BPFError` where the kernel refuses: EINVAL for an array, and before Linux 5.6.
    public func drain(_ body: (Key, Value) -> Void) throws(BPFError) {
        try handle.walk(removing: true, valuesPerKey: 1) { (key: Key, values: UnsafeBufferPointer<Value>) in
            if let first = values.first { body(key, first) }
        }
    }
}

extension BPFMap where Key == UInt32 {
    /// Sets an array's elements from the first on, in one call (Linux 5.6).
    ///
    /// - Parameter elements: as they lie in memory, one after another.
    /// - Throws: `BPFError`: EINVAL where the bytes are not whole elements, E2BIG where the array has
    ///   no room for them.
    public func fill(with elements: RawSpan) throws(BPFError) {
        let size = MemoryLayout<Value>.size
        guard size > 0, elements.byteCount > 0, elements.byteCount % size == 0 else {
            throw BPFError(operation: "fill map \(name): not whole elements", code: EINVAL)
        }
        let keys = Array(0..<UInt32(clamping: elements.byteCount / size))
        var filled = UInt32(keys.count)
        let code = elements.withUnsafeBytes { elements in
            // SAFETY: as many keys and values as `filled` says, read during the call.
            bpf_map_update_batch(descriptor, keys, elements.baseAddress, &filled, nil)
        }
        try checkedCode(code, "fill map \(name)")
    }
}
