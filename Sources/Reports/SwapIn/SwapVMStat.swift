// SPDX-License-Identifier: Apache-2.0

/// The swap counters of /proc/vmstat: the whole machine's, from the kernel itself.
public struct SwapVMStat: Hashable, Sendable {
    /// Pages read from swap devices.
    public var pswpin: UInt64?
    /// Pages that zswap had (Linux 5.19).
    public var zswpin: UInt64?
    /// Zero-filled pages, which are on no device (Linux 6.12).
    public var swpinZero: UInt64?
    /// Pages written to swap devices.
    public var pswpout: UInt64?

    /// Reads the file's text; what it does not say is nil.
    public init(vmstat text: String) {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "pswpin": pswpin = UInt64(parts[1])
            case "zswpin": zswpin = UInt64(parts[1])
            case "swpin_zero": swpinZero = UInt64(parts[1])
            case "pswpout": pswpout = UInt64(parts[1])
            default: break
            }
        }
    }

    private init(_ pswpin: UInt64?, _ zswpin: UInt64?, _ swpinZero: UInt64?, _ pswpout: UInt64?) {
        (self.pswpin, self.zswpin, self.swpinZero, self.pswpout) = (pswpin, zswpin, swpinZero, pswpout)
    }

    /// The differences to an earlier reading.
    public func since(_ earlier: SwapVMStat) -> SwapVMStat {
        func difference(_ counter: KeyPath<SwapVMStat, UInt64?>) -> UInt64? {
            guard let now = self[keyPath: counter], let then = earlier[keyPath: counter] else { return nil }
            return now &- then
        }
        return SwapVMStat(
            difference(\.pswpin), difference(\.zswpin), difference(\.swpinZero), difference(\.pswpout))
    }
}
