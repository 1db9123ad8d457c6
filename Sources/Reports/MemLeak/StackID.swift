// SPDX-License-Identifier: Apache-2.0

/// Names a stack the same in every run of the same binaries, wherever they are loaded: a hash of the modules' build-ids
/// and the places in them.
public struct StackID: Hashable, Sendable {
    public let value: UInt64

    init(value: UInt64) { self.value = value }

    /// What of a stack its id depends on.
    public enum Granularity: String, CaseIterable, Sendable {
        /// Functions: stacks that differ in where a function calls the next are one.
        case function
        /// Return addresses.
        case address
    }

    /// - Parameters:
    ///   - frames: nil where the stack was lost: all those have one id.
    ///   - salt: what else tells stacks apart: of the kernel, whose memory it is.
    public init(_ frames: [MemLeakFrame]?, by granularity: Granularity, salt: String = "") {
        var hash = FNV1a()
        // of a place that functions are inlined into the outermost stands for all: they come with --lines alone
        for frame in frames ?? [] where !frame.isInlined {
            hash.add(frame.buildID ?? frame.module ?? "")
            if let offset = frame.moduleOffset {
                let isNamed = granularity == .function && frame.symbol != nil
                hash.add(isNamed && offset >= frame.offset ? offset - frame.offset : offset)
            } else if let symbol = frame.symbol {
                hash.add(symbol)
                if granularity == .address { hash.add(frame.offset) }
            } else {
                hash.add(frame.address)
            }
        }
        hash.add(salt)
        value = hash.value
    }

    /// Sixteen hexadecimal digits.
    public var text: String {
        let digits = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
