// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// Something that holds memory, and a process that has it, as an iterator of BPF/meminfo.bpf.c tells.
public struct MemoryHolding: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// A file of a tmpfs.
        case shared
        /// Pages of a part that no counter has.
        case pages(MemoryPart)
    }

    /// How a process has a file.
    public enum Place: Hashable, Sendable {
        case open(descriptor: Int32)
        case mapped(start: UInt64, end: UInt64)
    }

    public var kind: Kind
    public var pid: UInt32
    /// Tells it from others of its kind.
    public var address: UInt64
    public var bytes: UInt64
    /// A file's device, as the kernel keeps it.
    public var major: UInt32
    public var minor: UInt32
    public var inode: UInt64
    public var links: UInt32
    public var place: Place
    /// The last of a file's path, cut.
    public var name: String

    /// Those of the records; one of a kind that is not known is left out.
    public static func all(_ bytes: [UInt8]) -> [MemoryHolding] {
        records(bytes, as: meminfo_holding.self).compactMap { MemoryHolding($0) }
    }

    private init?(_ record: meminfo_holding) {
        guard let kind = Self.kind(record.kind) else { return nil }
        (self.kind, pid, address, bytes) = (kind, record.pid, record.address, record.bytes)
        // include/linux/kdev_t.h
        (major, minor) = (record.device >> 20, record.device & 0xf_ffff)
        (inode, links) = (record.inode, record.links)
        place =
            record.end > 0
            ? .mapped(start: record.start, end: record.end) : .open(descriptor: record.fd)
        name = kind == .shared ? fixedText(record.name) : ""
    }

    private static func kind(_ number: UInt32) -> Kind? {
        switch number {
        case MEMINFO_SHARED.rawValue: .shared
        case MEMINFO_PIPE.rawValue: .pages(.pipes)
        case MEMINFO_SOCKET.rawValue: .pages(.sockets)
        case MEMINFO_PACKET_RING.rawValue: .pages(.packetRings)
        case MEMINFO_PERF_RING.rawValue: .pages(.perfRings)
        case MEMINFO_BPF_RING.rawValue: .pages(.bpfRings)
        default: nil
        }
    }
}

/// What is held of the parts that no counter has, each thing once, however many processes have it.
public struct HeldPages: Hashable, Sendable {
    /// A part that is missing is not known.
    public private(set) var bytes: [MemoryPart: UInt64]
    private var seen: [MemoryPart: Set<UInt64>] = [:]

    /// - Parameter known: the parts that are looked for; where nothing of them is found they are 0.
    public init(known: Set<MemoryPart> = []) {
        bytes = Dictionary(uniqueKeysWithValues: known.map { ($0, 0) })
    }

    /// Adds it, where its part is known and it is new.
    public mutating func add(_ holding: MemoryHolding) {
        guard case .pages(let part) = holding.kind, let sum = bytes[part],
            seen[part, default: []].insert(holding.address).inserted
        else { return }
        bytes[part] = sum.addingCapped(holding.bytes)
    }
}

/// A process whose namespaces are others than those of the process before it.
public struct ProcessNamespaces: Hashable, Sendable {
    public var pid: UInt32
    /// Inode numbers, as /proc/PID/ns has them.
    public var mount: UInt64
    public var ipc: UInt64

    /// Those of the records.
    public static func all(_ bytes: [UInt8]) -> [ProcessNamespaces] {
        records(bytes, as: meminfo_namespaces.self).map {
            ProcessNamespaces(pid: $0.pid, mount: UInt64($0.mount), ipc: UInt64($0.ipc))
        }
    }
}
