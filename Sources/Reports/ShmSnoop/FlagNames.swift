// SPDX-License-Identifier: Apache-2.0

/// The flags of one argument: names of its bits, of its fields, and what is left.
public struct FlagNames: Sendable {
    /// A name for exactly these bits within a field.
    struct Name: Sendable {
        let field: UInt32
        let value: UInt32
        let name: String
    }

    let names: [Name]
    /// What a page size of 1 << n in bits 26 to 31 is called (include/uapi/asm-generic/
    /// hugetlb_encode.h), e.g. `SHM_HUGE_` before `2MB`.
    var hugePrefix: String?
    /// Bits without a name are permissions: octal, with a leading zero.
    var mode = false

    init(_ bits: [(UInt32, String)], fields: [Name] = [], hugePrefix: String? = nil, mode: Bool = false) {
        names = fields + bits.map { Name(field: $0.0, value: $0.0, name: $0.1) }
        self.hugePrefix = hugePrefix
        self.mode = mode
    }

    /// Every name that applies, and last the bits that have none; none for 0.
    public func names(of flags: UInt32) -> [String] {
        var rest = flags
        var result: [String] = []
        for name in names where flags & name.field == name.value && name.value != 0 {
            result.append(name.name)
            rest &= ~name.field
        }
        if let hugePrefix, rest >> 26 != 0 {
            result.append(hugePrefix + Self.size(log2: rest >> 26))
            rest &= (1 << 26) - 1
        }
        if rest != 0 { result.append(mode ? "0" + String(rest, radix: 8) : "0x" + String(rest, radix: 16)) }
        return result
    }

    /// `0x3b6 (IPC_CREAT|0666)`, and `0x0` alone.
    public func text(_ flags: UInt32) -> String {
        let names = names(of: flags)
        let number = "0x" + String(flags, radix: 16)
        return names.isEmpty ? number : "\(number) (\(names.joined(separator: "|")))"
    }

    /// `2MB` for 21.
    private static func size(log2: UInt32) -> String {
        let units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"]
        return "\(UInt64(1) << UInt64(log2 % 10))\(units[Int(log2 / 10)])"
    }
}
