// SPDX-License-Identifier: Apache-2.0

/// A moment by two clocks. That of the boot is never set: by it samples and kills are put in order and times apart are
/// counted, whatever was done to the other.
public struct OOMMoment: Hashable, Sendable {
    public var time: WallTime
    /// Tells one boot of the machine from another.
    public var boot: UInt64
    /// CLOCK_BOOTTIME in nanoseconds.
    public var nanoseconds: UInt64

    public init(time: WallTime, boot: UInt64, nanoseconds: UInt64) {
        (self.time, self.boot, self.nanoseconds) = (time, boot, nanoseconds)
    }

    /// Seconds from an earlier moment to this one; nil where one of them is of another boot, or it is later.
    public func seconds(since other: OOMMoment) -> Double? {
        guard boot == other.boot, nanoseconds >= other.nanoseconds else { return nil }
        return Double(nanoseconds - other.nanoseconds) / 1e9
    }
}

extension [OOMSample] {
    /// The samples of this moment's boot, up to it, with the times that the clock would have shown which it shows at it.
    ///
    /// - Parameter moment: that of a kill.
    public func upTo(_ moment: OOMMoment) -> [OOMSample] {
        compactMap { sample in
            guard sample.boot == moment.boot, sample.bootNanoseconds <= moment.nanoseconds else { return nil }
            var sample = sample
            let age = Int64(clamping: moment.nanoseconds - sample.bootNanoseconds)
            let (time, overflow) = moment.time.nanoseconds.subtractingReportingOverflow(age)
            sample.time = WallTime(nanoseconds: overflow ? .min : time)
            return sample
        }
    }
}
