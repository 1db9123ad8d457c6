// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

/// Places of a map of arrays, each filled with an array of its own size (BPF_F_INNER_MAP, Linux 5.10).
public struct ArrayOfArrays {
    private let info: MapInfo

    fileprivate init(info: MapInfo) { self.info = info }

    /// Makes an array for a place and fills it.
    ///
    /// - Parameters:
    ///   - valueSize: bytes of one element, as the map's declaration has it.
    ///   - words: all elements, one after another.
    /// - Throws: `BPFError`: ENOMEM, E2BIG.
    public func make(valueSize: Int, words: [UInt32]) throws(BPFError) -> OwnedDescriptor {
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
        return array
    }

    /// Puts arrays into places, in one call where the kernel can (5.13): at the end of each it waits until no
    /// program is at work with what was there, some ten milliseconds. The map keeps them alive.
    ///
    /// - Throws: `BPFError`: E2BIG where there is no such place.
    public func set(_ places: [UInt32], to descriptors: [Int32]) throws(BPFError) {
        guard !places.isEmpty, places.count == descriptors.count else { return }
        var count = UInt32(clamping: places.count)
        let code = places.withUnsafeBufferPointer { places in
            descriptors.withUnsafeBufferPointer { descriptors in
                // SAFETY: `count` keys and as many values of four bytes, read during the call.
                bpf_map_update_batch(info.descriptor, places.baseAddress, descriptors.baseAddress, &count, nil)
            }
        }
        guard code != 0 else { return }
        for (place, descriptor) in zip(places, descriptors) {
            var (place, descriptor) = (place, descriptor)
            try checked("update map \(info.name)") {
                bpf_map_update_elem(info.descriptor, &place, &descriptor, UInt64(BPF_ANY))
            }
        }
    }
}

extension LoadedObject {
    /// A map of arrays by name.
    public func arrayOfArrays(_ name: String) throws(BPFError) -> ArrayOfArrays {
        ArrayOfArrays(info: try mapInfo(name))
    }
}
