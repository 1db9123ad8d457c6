// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf

/// Programs and maps in the kernel, attached to nothing yet.
///
/// Programs and maps taken from it keep what they need of it in the kernel, so they may outlive it.
public struct LoadedObject: ~Copyable {
    let handle: ObjectHandle

    /// A program that was loaded.
    ///
    /// - Throws: `BPFError` where the object has none of this name, or it was left out of the load.
    public func program(_ name: String) throws(BPFError) -> Program {
        try Program(handle: handle, raw: try handle.program(name))
    }

    /// A map, one value a key.
    ///
    /// - Throws: `BPFError` where the object has none of this name, it was left out of the load, is
    ///   of another kind, or its keys or values are of another size.
    public func map<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ name: String, key: Key.Type = Key.self, value: Value.Type = Value.self
    ) throws(BPFError) -> BPFMap<Key, Value> {
        try BPFMap(handle: mapHandle(name))
    }

    /// A map with a value a key and CPU.
    ///
    /// - Throws: `BPFError` as `map` does.
    public func perCPUMap<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ name: String, key: Key.Type = Key.self, value: Value.Type = Value.self
    ) throws(BPFError) -> PerCPUMap<Key, Value> {
        try PerCPUMap(handle: mapHandle(name))
    }

    /// A map whose values are maps.
    ///
    /// - Throws: `BPFError` as `map` does.
    public func mapOfMaps(_ name: String) throws(BPFError) -> MapOfMaps {
        try MapOfMaps(handle: mapHandle(name))
    }

    /// A reader of a ring buffer map.
    ///
    /// - Throws: `BPFError` where the object has none of this name, it is no ring buffer, or its
    ///   pages can't be mapped.
    public func ringBuffer(_ name: String) throws(BPFError) -> RingBuffer {
        try RingBuffer(mapHandle(name))
    }

    private func mapHandle(_ name: String) throws(BPFError) -> MapHandle {
        let map = try handle.map(name)
        let descriptor = try checkedCode(bpf_map__fd(map), "map \(name) is not loaded")
        return MapHandle(
            name: name, descriptor: descriptor, owner: .object(handle), type: bpf_map__type(map),
            keySize: Int(bpf_map__key_size(map)), valueSize: Int(bpf_map__value_size(map)),
            maxEntries: Int(bpf_map__max_entries(map)))
    }
}
