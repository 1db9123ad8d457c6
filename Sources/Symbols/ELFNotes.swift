// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Notes of an ELF file: a name, a type and a descriptor each.
enum ELFNotes {
    /// The build-id among them (`NT_GNU_BUILD_ID`), of 64 bytes at most.
    ///
    /// - Parameter alignment: of each part; 8 for a segment that says so, else 4.
    static func buildID(in notes: [UInt8], alignment: Int, isLittle: Bool) -> BuildID? {
        func word(_ place: Int) -> Int {
            let raw = notes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: UInt32.self) }
            return Int(isLittle ? UInt32(littleEndian: raw) : UInt32(bigEndian: raw))
        }
        func aligned(_ place: Int) -> Int { (place + alignment - 1) & ~(alignment - 1) }
        var position = 0
        while notes.count - position >= 12 {
            let (nameLength, length, type) = (word(position), word(position + 4), word(position + 8))
            let name = position + 12
            let descriptor = aligned(name + nameLength)
            guard name + nameLength <= notes.count, descriptor <= notes.count, length <= notes.count - descriptor else {
                return nil
            }
            if type == 3, nameLength == 4, (1...64).contains(length),
                notes[name..<(name + 4)].elementsEqual("GNU\0".utf8)
            {
                return BuildID(bytes: Array(notes[descriptor..<(descriptor + length)]))
            }
            position = aligned(descriptor + length)
        }
        return nil
    }
}
