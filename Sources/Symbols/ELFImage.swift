// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// A linker's fingerprint of a file (`NT_GNU_BUILD_ID`), the same in the stripped file and its debug file.
public struct BuildID: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    /// As `file` and `readelf -n` write it.
    public var description: String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}

/// The name of a separate debug file, from `.gnu_debuglink`.
public struct DebugLink: Hashable, Sendable {
    public let name: FilePath
    /// The checksum of the whole debug file.
    public let crc32: UInt32
}

/// What the headers of an ELF file say.
public struct ELFImage: Hashable, Sendable {
    /// A `PT_LOAD` program header.
    public struct Segment: Hashable, Sendable {
        public let fileOffset: UInt64
        /// As linked.
        public let address: UInt64
        public let fileSize: UInt64
        public let isExecutable: Bool
    }

    /// True for `ET_EXEC`, which the kernel maps where it was linked; false for `ET_DYN`.
    public let isFixed: Bool
    /// `e_machine`.
    public let machine: UInt16
    public let segments: [Segment]
    public let buildID: BuildID?
    public let debugLink: DebugLink?

    /// The address, as linked, of a byte of the file; nil when no segment loads it.
    ///
    /// Segments may share a page of the file; an executable one is preferred.
    public func address(fileOffset: UInt64) -> UInt64? {
        var found: UInt64?
        for segment in segments
        where fileOffset >= segment.fileOffset && fileOffset - segment.fileOffset < segment.fileSize {
            let address = segment.address &+ (fileOffset - segment.fileOffset)
            if segment.isExecutable { return address }
            found = found ?? address
        }
        return found
    }

    /// The place in the file of an address as linked: what a uprobe wants. Nil outside every segment's file part.
    public func fileOffset(address: UInt64) -> UInt64? {
        for segment in segments where address >= segment.address && address - segment.address < segment.fileSize {
            return segment.fileOffset &+ (address - segment.address)
        }
        return nil
    }
}
