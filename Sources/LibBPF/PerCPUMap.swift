// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

/// A map with a value a key and CPU: a hash or an array.
public struct PerCPUMap<Key: BitwiseCopyable, Value: BitwiseCopyable>: KernelMap {
    let handle: MapHandle

    public var descriptor: Int32 { handle.descriptor }
    public var name: String { handle.name }

    init(handle: MapHandle) throws(BPFError) {
        try handle.require(.perCPU, Key.self, Value.self)
        self.handle = handle
    }

    /// Removes a key with all its values.
    ///
    /// - Returns: whether it was there.
    /// - Throws: `BPFError` where the kernel refuses: EINVAL for an array.
    @discardableResult
    public func remove(_ key: Key) throws(BPFError) -> Bool { try handle.remove(key) }

    /// One value a possible CPU, in their order; nil where the key is not there.
    ///
    /// - Throws: `BPFError` where the kernel refuses.
    public func values(for key: Key) throws(BPFError) -> [Value]? {
        var result: [Value]?
        let stride = perCPUStride(handle.valueSize)
        let code = withUnsafePointer(to: key) { key in
            withUnsafeTemporaryAllocation(byteCount: stride * possibleCPUs, alignment: 8) { bytes in
                guard let base = bytes.baseAddress else { return -ENOMEM }
                // SAFETY: the kernel fills a padded value for every possible CPU.
                let code = bpf_map_lookup_elem(handle.descriptor, key, base)
                if code == 0 {
                    result = (0..<possibleCPUs).map {
                        base.load(fromByteOffset: $0 * stride, as: Value.self)
                    }
                }
                return code
            }
        }
        if code == -ENOENT { return nil }
        try checkedCode(code, "look up in map \(name)")
        return result
    }

    /// The keys, as `BPFMap.keys` gives them.
    ///
    /// - Throws: `BPFError` where the kernel refuses.
    public func keys() throws(BPFError) -> [Key] { try handle.keys() }

    /// Visits every entry with its values by CPU (Linux 5.6; arrays 5.13).
    ///
    /// - Throws: `BPFError` where the kernel refuses: EINVAL, ENOTSUPP before those.
    public func forEach(_ body: (Key, [Value]) -> Void) throws(BPFError) {
        try handle.walk(removing: false, valuesPerKey: possibleCPUs) { (key: Key, values: UnsafeBufferPointer<Value>) in
            body(key, Array(values))
        }
    }

    /// Visits and removes every entry with its values by CPU. What another CPU adds
    /// to an entry while it is removed is lost with it: read counters by `forEach`
    /// and differences where every count matters.
    ///
    /// - Throws: `BPFError` where the kernel refuses: EINVAL for an array.
    public func drain(_ body: (Key, [Value]) -> Void) throws(BPFError) {
        try handle.walk(removing: true, valuesPerKey: possibleCPUs) { (key: Key, values: UnsafeBufferPointer<Value>) in
            body(key, Array(values))
        }
    }
}

extension PerCPUMap where Value: FixedWidthInteger {
    /// The sum over the CPUs, wrapping; 0 where the key is not there.
    ///
    /// - Throws: `BPFError` where the kernel refuses.
    public func sum(for key: Key) throws(BPFError) -> Value {
        (try values(for: key) ?? []).reduce(0, &+)
    }
}

/// The kernel pads each CPU's value to eight bytes.
func perCPUStride(_ size: Int) -> Int { (size + 7) & ~7 }
