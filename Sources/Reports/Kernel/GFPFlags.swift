// SPDX-License-Identifier: Apache-2.0

/// The flags of a kernel allocation, named as the kernel's own reports name them.
///
/// The bits below 23 are the same from 5.10 to 7.2 (include/linux/gfp_types.h); a
/// bit without a name here is shown as a number.
public struct GFPFlags: Hashable, Sendable {
    public let mask: UInt32

    public init(mask: UInt32) { self.mask = mask }

    private static let io: UInt32 = 0x40, fs: UInt32 = 0x80
    private static let direct: UInt32 = 0x400, kswapd: UInt32 = 0x800
    private static let reclaim = direct | kswapd
    private static let noWarn: UInt32 = 0x2000, comp: UInt32 = 0x40000
    private static let noMemAlloc: UInt32 = 0x80000, hardwall: UInt32 = 0x100000
    private static let account: UInt32 = 0x400000
    private static let high: UInt32 = 0x20, highmem: UInt32 = 0x02, movable: UInt32 = 0x08
    private static let kernel = reclaim | io | fs
    private static let user = kernel | hardwall
    private static let highUser = user | highmem
    private static let highUserMovable = highUser | movable
    private static let hugeLight = (highUserMovable | comp | noMemAlloc | noWarn) & ~reclaim

    /// In the order of __def_gfpflag_names (include/trace/events/mmflags.h): the
    /// combinations first, as the kernel prints them.
    private static let names: [(UInt32, String)] = [
        (hugeLight | direct, "GFP_TRANSHUGE"), (hugeLight, "GFP_TRANSHUGE_LIGHT"),
        (highUserMovable, "GFP_HIGHUSER_MOVABLE"), (highUser, "GFP_HIGHUSER"), (user, "GFP_USER"),
        (kernel | account, "GFP_KERNEL_ACCOUNT"), (kernel, "GFP_KERNEL"),
        (reclaim | io, "GFP_NOFS"), (high | kswapd, "GFP_ATOMIC"), (reclaim, "GFP_NOIO"),
        (kswapd, "GFP_NOWAIT"), (0x01, "GFP_DMA"), (highmem, "__GFP_HIGHMEM"),
        (0x04, "GFP_DMA32"), (high, "__GFP_HIGH"), (io, "__GFP_IO"), (fs, "__GFP_FS"),
        (noWarn, "__GFP_NOWARN"), (0x4000, "__GFP_RETRY_MAYFAIL"), (0x8000, "__GFP_NOFAIL"),
        (0x10000, "__GFP_NORETRY"), (comp, "__GFP_COMP"), (0x100, "__GFP_ZERO"),
        (noMemAlloc, "__GFP_NOMEMALLOC"), (0x20000, "__GFP_MEMALLOC"),
        (hardwall, "__GFP_HARDWALL"), (0x200000, "__GFP_THISNODE"),
        (0x10, "__GFP_RECLAIMABLE"), (movable, "__GFP_MOVABLE"), (account, "__GFP_ACCOUNT"),
        (0x1000, "__GFP_WRITE"), (reclaim, "__GFP_RECLAIM"), (direct, "__GFP_DIRECT_RECLAIM"),
        (kswapd, "__GFP_KSWAPD_RECLAIM"),
    ]

    /// The names joined as the kernel joins them, e.g. `GFP_KERNEL|__GFP_ZERO`.
    public var description: String {
        var rest = mask
        var parts: [String] = []
        for (bits, name) in Self.names where rest & bits == bits {
            parts.append(name)
            rest &= ~bits
        }
        if rest != 0 || parts.isEmpty { parts.append("0x" + String(rest, radix: 16)) }
        return parts.joined(separator: "|")
    }
}
