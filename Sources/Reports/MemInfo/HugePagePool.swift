// SPDX-License-Identifier: Apache-2.0

/// The huge pages of one size that are set aside (/sys/kernel/mm/hugepages, mm/hugetlb.c). They are in no other counter.
public struct HugePagePool: Hashable, Sendable {
    public var pageBytes: UInt64
    /// All of them, what was taken beyond the pool's size too.
    public var pages: UInt64
    public var free: UInt64
    /// Free, and promised to a mapping.
    public var reserved: UInt64

    public init(pageBytes: UInt64, pages: UInt64, free: UInt64, reserved: UInt64) {
        (self.pageBytes, self.pages, self.free, self.reserved) = (pageBytes, pages, free, reserved)
    }

    /// The size that the pool's directory is named for, `hugepages-2048kB`, in bytes.
    public static func pageBytes(directory name: String) -> UInt64? {
        guard name.hasPrefix("hugepages-"), name.hasSuffix("kB"),
            let kilobytes = decimal(name.utf8.dropFirst(10).dropLast(2)), kilobytes > 0, kilobytes < 1 << 42
        else { return nil }
        return kilobytes * 1024
    }

    /// In bytes; nil where no memory has so many.
    public func bytes(_ pages: UInt64) -> UInt64? {
        let (bytes, overflow) = pages.multipliedReportingOverflow(by: pageBytes)
        return overflow ? nil : bytes
    }

    /// Bytes that are in use.
    public var usedBytes: UInt64? { bytes(pages - Swift.min(pages, free)) }
}
