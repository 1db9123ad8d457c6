// SPDX-License-Identifier: Apache-2.0
internal import CLinux
package import Glibc
package import SystemLayer
internal import SystemPackage

/// The bytes of a file, on disk or in memory, for all who read parts of it.
///
/// Files are read, never mapped: a file cut short while it is mapped would kill the reader by SIGBUS.
package final class FileBytes {
    /// Keeps the descriptor open.
    private let file: OpenFile?
    /// The file's; -1 for bytes in memory.
    package let descriptor: Int32
    /// malloc'd
    private let memory: UnsafeMutableRawBufferPointer

    package init(_ file: consuming OpenFile) {
        descriptor = file.descriptor
        self.file = consume file
        memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    /// Takes a malloc'd block over.
    package init(taking memory: UnsafeMutableRawBufferPointer) {
        file = nil
        descriptor = -1
        self.memory = memory
    }

    deinit { free(memory.baseAddress) }

    /// Those in memory; valid as long as this lives.
    package var inMemory: UnsafeMutableRawBufferPointer { memory }

    /// Those in memory as a file of their own; nil where none can be made.
    package func inFile() -> OwnedDescriptor? {
        let raw = clinux_memory_file(memory.baseAddress, memory.count)
        return raw >= 0 ? OwnedDescriptor(owning: raw) : nil
    }

    /// nil for bytes in memory.
    package var status: stat? {
        var status = stat()
        return descriptor >= 0 && fstat(descriptor, &status) == 0 ? status : nil
    }

    /// Fills `buffer` from a place on; gives the number of bytes got, fewer where they end or can't be read.
    package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let place = Int64(exactly: offset), place < Int64.max - Int64(buffer.count) else { return 0 }
        if descriptor >= 0 {
            let file = FileDescriptor(rawValue: descriptor)
            var filled = 0
            while filled < buffer.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                guard let got = try? file.read(fromAbsoluteOffset: place + Int64(filled), into: rest), got > 0
                else { break }
                filled += got
            }
            return filled
        }
        guard place < memory.count else { return 0 }
        let part = UnsafeRawBufferPointer(rebasing: memory[Int(place)...].prefix(buffer.count))
        buffer.copyMemory(from: part)
        return part.count
    }

    /// A number of a known width; nil where the bytes end before.
    package func number<Number: FixedWidthInteger & BitwiseCopyable>(
        at offset: UInt64, as: Number.Type, isLittle: Bool
    ) -> Number? {
        var raw = Number.zero
        let got = withUnsafeMutableBytes(of: &raw) { read(at: offset, into: $0) }
        guard got == MemoryLayout<Number>.size else { return nil }
        return isLittle ? Number(littleEndian: raw) : Number(bigEndian: raw)
    }
}
