// SPDX-License-Identifier: Apache-2.0

/// What kinds of swap devices are in use.
public struct SwapDevices: Hashable, Sendable {
    public var zram = false
    public var other = false

    /// Reads the text of /proc/swaps: a heading, then a device or file a line.
    public init(swaps text: String) {
        for line in text.split(separator: "\n").dropFirst() {
            guard let name = line.split(whereSeparator: \.isWhitespace).first else { continue }
            if name.hasPrefix("/dev/zram") || name.hasPrefix("/zram") { zram = true } else { other = true }
        }
    }

    public var isEmpty: Bool { !zram && !other }

    /// Those of either reading: of the begin and the end of an interval.
    public func union(_ another: SwapDevices) -> SwapDevices {
        var result = self
        result.zram = zram || another.zram
        result.other = other || another.other
        return result
    }
}
