// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

extension MapHandle {
    /// BPF_MAP_LOOKUP_BATCH and BPF_MAP_LOOKUP_AND_DELETE_BATCH until the map is
    /// through. A bucket that does not fit into the batch makes it grow (ENOSPC).
    func walk<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        removing: Bool, valuesPerKey: Int, _ body: (Key, UnsafeBufferPointer<Value>) -> Void
    ) throws(BPFError) {
        let stride = valuesPerKey == 1 && kind != .perCPU ? valueSize : perCPUStride(valueSize)
        var capacity = 256
        // hash maps use 4 bytes of position, arrays a key
        var position = [UInt8](repeating: 0, count: max(8, keySize))
        var started = false
        var values = [Value]()
        while true {
            var count = UInt32(capacity)
            var code: Int32 = 0
            withUnsafeTemporaryAllocation(byteCount: capacity * keySize, alignment: 8) { keys in
                withUnsafeTemporaryAllocation(byteCount: capacity * stride * valuesPerKey, alignment: 8) { slots in
                    position.withUnsafeMutableBytes { position in
                        let from = started ? position.baseAddress : nil
                        // SAFETY: both buffers hold `capacity` entries; the kernel writes
                        // at most `count` of them and says how many.
                        code =
                            removing
                            ? bpf_map_lookup_and_delete_batch(
                                descriptor, from, position.baseAddress, keys.baseAddress,
                                slots.baseAddress, &count, nil)
                            : bpf_map_lookup_batch(
                                descriptor, from, position.baseAddress, keys.baseAddress,
                                slots.baseAddress, &count, nil)
                    }
                    guard code == 0 || code == -ENOENT else { return }
                    for entry in 0..<Int(count) {
                        let key = keys.loadUnaligned(fromByteOffset: entry * keySize, as: Key.self)
                        values.removeAll(keepingCapacity: true)
                        for part in 0..<valuesPerKey {
                            let offset = (entry * valuesPerKey + part) * stride
                            values.append(slots.loadUnaligned(fromByteOffset: offset, as: Value.self))
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
            try checkedCode(code, "walk map \(name)")
            started = true
        }
    }

    /// BPF_MAP_GET_NEXT_KEY to the end. Behind a key that is gone meanwhile it begins anew, which
    /// could go on for ever: it ends after as many keys as the map has room for.
    func keys<Key: BitwiseCopyable>() throws(BPFError) -> [Key] {
        var keys: [Key] = []
        var code: Int32 = 0
        withUnsafeTemporaryAllocation(of: Key.self, capacity: 2) { slots in
            guard let current = slots.baseAddress else { return }
            let next = current + 1
            while keys.count < maxEntries {
                // SAFETY: the kernel reads one key and writes one, whose size was checked.
                code = bpf_map_get_next_key(descriptor, keys.isEmpty ? nil : current, next)
                guard code == 0 else { return }
                keys.append(next.pointee)
                current.initialize(to: next.pointee)
            }
        }
        if code != -ENOENT { try checkedCode(code, "list the keys of map \(name)") }
        return keys
    }
}
