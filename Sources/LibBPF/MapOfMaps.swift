// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf

/// A map whose values are maps, by numbers. It keeps those that are in it alive.
public struct MapOfMaps: KernelMap {
    private let handle: MapHandle

    public var descriptor: Int32 { handle.descriptor }
    public var name: String { handle.name }

    init(handle: MapHandle) throws(BPFError) {
        // a map is named by its descriptor
        try handle.require(.ofMaps, UInt32.self, Int32.self)
        self.handle = handle
    }

    /// Puts a map into a place.
    ///
    /// - Throws: `BPFError`: E2BIG where there is no such place, EINVAL where the map is not of the
    ///   kind that this map holds.
    public func set(_ place: UInt32, to map: some KernelMap) throws(BPFError) {
        var (place, value) = (place, map.descriptor)
        // SAFETY: the kernel reads a key and a value of four bytes each.
        try checkedCode(
            bpf_map_update_elem(descriptor, &place, &value, UInt64(BPF_ANY)), "update map \(name)")
    }

    /// Puts maps into places, in one call where the kernel can (5.13): at the end of each it waits
    /// until no program is at work with what was there, some ten milliseconds.
    ///
    /// - Throws: `BPFError` as for one.
    public func set<Map: KernelMap>(_ maps: [(place: UInt32, map: Map)]) throws(BPFError) {
        guard !maps.isEmpty else { return }
        let (places, descriptors) = (maps.map(\.place), maps.map(\.map.descriptor))
        var count = UInt32(clamping: maps.count)
        // SAFETY: `count` keys and as many values of four bytes, read during the call.
        let code = bpf_map_update_batch(descriptor, places, descriptors, &count, nil)
        guard code != 0 else { return }
        for (place, map) in maps { try set(place, to: map) }
    }
}
