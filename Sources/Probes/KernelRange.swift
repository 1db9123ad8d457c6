// SPDX-License-Identifier: Apache-2.0

/// The kernels that a rung's numbers are true on, from one version through another.
///
///     .from(5, 12, "generic_file_buffered_read() became filemap_read()")
///         .through(6, 4, "6.5 splices by filemap_splice_read()")
public struct KernelRange: Hashable, Sendable, CustomStringConvertible {
    /// One end of a range.
    public struct Bound: Hashable, Sendable {
        public let version: KernelVersion
        /// What changed there.
        public let reason: String
        /// Is a kernel beyond it refused? Not where distributions bring the change to older kernels, and
        /// the rung's hooks and requirements tell which kernel has it.
        public let isEnforced: Bool
    }

    /// The first kernel; nil: whichever the tools run on.
    public let first: Bound?
    /// The last kernel; nil: the newest known.
    public let last: Bound?

    private init(first: Bound?, last: Bound?) {
        self.first = first
        self.last = last
    }

    /// Every kernel that the tools run on.
    public static let all = KernelRange(first: nil, last: nil)

    /// This kernel and newer ones.
    ///
    /// - Parameters:
    ///   - reason: what came with this kernel.
    ///   - orBackported: true where an older kernel may have it too, and the rung's hooks and requirements
    ///     tell: the bound is then said and not enforced.
    public static func from(_ major: Int, _ minor: Int, _ reason: String, orBackported: Bool = false) -> KernelRange {
        let bound = Bound(version: KernelVersion(major, minor), reason: reason, isEnforced: !orBackported)
        return KernelRange(first: bound, last: nil)
    }

    /// Kernels up to and with this one.
    ///
    /// - Parameter reason: what the kernels behind it do otherwise.
    public static func through(_ major: Int, _ minor: Int, _ reason: String) -> KernelRange {
        all.through(major, minor, reason)
    }

    /// The same, up to and with this kernel.
    ///
    /// - Parameter reason: what the kernels behind it do otherwise.
    public func through(_ major: Int, _ minor: Int, _ reason: String) -> KernelRange {
        KernelRange(
            first: first, last: Bound(version: KernelVersion(major, minor), reason: reason, isEnforced: true))
    }

    /// Is a kernel between the bounds, enforced or not?
    public func contains(_ version: KernelVersion) -> Bool {
        (first.map { version >= $0.version } ?? true) && (last.map { version <= $0.version } ?? true)
    }

    /// No kernel is between the bounds.
    public var isEmpty: Bool {
        guard let first, let last else { return false }
        return first.version > last.version
    }

    /// Why a rung with this range is not taken on a kernel; nil: it may be.
    public func refusal(on version: KernelVersion) -> String? {
        if let first, first.isEnforced, version < first.version {
            return "true from Linux \(first.version) on (\(first.reason)), this is \(version)"
        }
        if let last, last.isEnforced, version > last.version {
            return "true up to Linux \(last.version) (\(last.reason)), this is \(version)"
        }
        return nil
    }

    /// In words: `5.12 to 6.4`, `6.12 and newer`, `until 6.4`, `all`.
    public var description: String {
        switch (first, last) {
        case (nil, nil): "all"
        case (nil, .some(let last)): "until \(last.version)"
        case (.some(let first), nil): "\(first.version) and newer" + (first.isEnforced ? "" : ", or backported")
        case (.some(let first), .some(let last)) where first.version == last.version: "\(first.version)"
        case (.some(let first), .some(let last)): "\(first.version) to \(last.version)"
        }
    }
}
