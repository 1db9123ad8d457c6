// SPDX-License-Identifier: Apache-2.0

/// A part of a part, to be shown below it. Details of one part may overlap.
public struct MemoryDetail: Hashable, Sendable {
    public var part: MemoryPart
    /// What it is: a word of the kernel's, or a name from outside.
    public var name: String
    public var bytes: UInt64

    public init(_ part: MemoryPart, _ name: String, _ bytes: UInt64) {
        (self.part, self.name, self.bytes) = (part, name, bytes)
    }

    /// Those that a reading tells of; what is 0 is left out.
    static func all(_ reading: MemoryReading, total: UInt64) -> [MemoryDetail] {
        let meminfo = reading.meminfo
        var details: [MemoryDetail] = []
        func add(_ part: MemoryPart, _ name: String, _ bytes: UInt64?) {
            if let bytes, bytes > 0, bytes <= total { details.append(MemoryDetail(part, name, bytes)) }
        }
        add(.anon, "in huge pages", meminfo["AnonHugePages"])
        // shared memory that is mapped is in it too
        add(.pageCache, "mapped", meminfo["Mapped"])
        add(.file, "dirty", meminfo["Dirty"])
        add(.file, "being written", meminfo["Writeback"])
        add(.file, "in huge pages", meminfo["FileHugePages"])
        add(.sharedMemory, "in huge pages", meminfo["ShmemHugePages"])
        for mount in reading.shared.mounts.sorted(by: { $0.bytes > $1.bytes }) {
            add(mount.isPosix ? .posixShm : .tmpfs, mount.path, mount.bytes)
        }
        for object in largest(reading.shared.objects) {
            add(object.kind.part, "\(object.name), \(object.heldBy)", object.bytes)
        }
        for pool in reading.hugePools {
            let size = "\(pool.pageBytes / 1024) kB pages"
            add(.hugetlb, "\(size), used", pool.usedBytes)
            add(.hugetlb, "\(size), reserved", pool.bytes(pool.reserved))
            add(.hugetlb, "\(size), free", pool.bytes(pool.free))
        }
        add(.zsmalloc, "zswap's", reading.machine.zswapInZsmalloc ? meminfo["Zswap"] : nil)
        add(.zsmalloc, "zswap holds, uncompressed", meminfo["Zswapped"])
        return details
    }

    /// The largest of each kind.
    private static func largest(_ objects: [SharedMemory.Object]) -> [SharedMemory.Object] {
        SharedMemory.Object.Kind.allCases.flatMap { kind in
            objects.filter { $0.kind == kind }.sorted { $0.bytes > $1.bytes }.prefix(3)
        }
    }
}
