// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

/// Places of a map of arrays, each filled with an array of its own size (BPF_F_INNER_MAP, Linux 5.10).
public struct ArrayOfArrays {
    private let info: MapInfo

    fileprivate init(info: MapInfo) { self.info = info }

    /// Puts a new array into a place; the map keeps it alive.
    ///
    /// - Parameters:
    ///   - valueSize: bytes of one element, as the map's declaration has it.
    ///   - words: all elements, one after another.
    /// - Throws: `BPFError`: ENOMEM, E2BIG; ENOENT or EINVAL where there is no such place.
    public func set(_ place: UInt32, valueSize: Int, to words: [UInt32]) throws(BPFError) {
        let size = valueSize / MemoryLayout<UInt32>.size
        guard size > 0, !words.isEmpty, words.count % size == 0 else {
            throw BPFError(operation: "fill map \(info.name): not whole elements", code: EINVAL)
        }
        let count = words.count / size
        var options = bpf_map_create_opts()
        options.sz = MemoryLayout<bpf_map_create_opts>.size
        options.map_flags = UInt32(BPF_F_INNER_MAP)
        let array = OwnedDescriptor(
            owning: try checked("create an array for map \(info.name)") {
                bpf_map_create(
                    BPF_MAP_TYPE_ARRAY, "unwind_blocks", 4, UInt32(valueSize), UInt32(clamping: count), &options)
            })
        let keys = (0..<UInt32(clamping: count)).map { $0 }
        var filled = UInt32(clamping: count)
        try checked("fill an array for map \(info.name)") {
            keys.withUnsafeBufferPointer { keys in
                words.withUnsafeBufferPointer { words in
                    // SAFETY: `count` keys and as many values of `valueSize` bytes, read during the call.
                    bpf_map_update_batch(array.raw, keys.baseAddress, words.baseAddress, &filled, nil)
                }
            }
        }
        var (place, descriptor) = (place, array.raw)
        try checked("update map \(info.name)") {
            bpf_map_update_elem(info.descriptor, &place, &descriptor, UInt64(BPF_ANY))
        }
    }
}

extension LoadedObject {
    /// A map of arrays by name.
    public func arrayOfArrays(_ name: String) throws(BPFError) -> ArrayOfArrays {
        ArrayOfArrays(info: try mapInfo(name))
    }
}
