// SPDX-License-Identifier: Apache-2.0

/// Reads the auxiliary vector of a 64-bit process.
enum AuxiliaryVector {
    /// Types are below 64 (include/uapi/linux/auxvec.h), and no 32-bit vector begins with a value of 0: it is AT_SYSINFO's
    /// address, or AT_HWCAP's bits.
    static func isNarrow(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 8 else { return false }
        return bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } >> 32 != 0
    }

    /// Pairs of words, without the pair of type 0 (AT_NULL) that ends the vector; a pair that is cut is left out.
    static func entries(_ bytes: [UInt8]) -> [(type: UInt64, value: UInt64)] {
        let words = bytes.withUnsafeBytes { raw in
            (0..<raw.count / 8).map { raw.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
        }
        var entries: [(type: UInt64, value: UInt64)] = []
        for index in stride(from: 0, to: words.count - 1, by: 2) where words[index] != 0 {
            entries.append((words[index], words[index + 1]))
        }
        return entries
    }
}
