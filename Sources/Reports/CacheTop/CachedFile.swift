// SPDX-License-Identifier: Apache-2.0

/// A file as the kernel tells it from others: an inode of a device.
public struct CachedFile: Hashable, Sendable {
    public let major: UInt32
    public let minor: UInt32
    public let inode: UInt64

    public init(major: UInt32, minor: UInt32, inode: UInt64) {
        self.major = major
        self.minor = minor
        self.inode = inode
    }

    /// - Parameter device: a kernel's dev_t, 12 bits major and 20 bits minor.
    public init(device: UInt32, inode: UInt64) {
        self.init(major: device >> 20, minor: device & 0xfffff, inode: inode)
    }

    /// `8:1`.
    public var device: String { "\(major):\(minor)" }
}

/// What else is known of a file and its use (enum cachetop_flag).
public struct CachedFileState: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// No directory has it any more.
    public static let deleted = CachedFileState(rawValue: 1)
    /// It is a disk's own pages: metadata, or what reads the device.
    public static let blockDevice = CachedFileState(rawValue: 2)
    /// Its process took its name by exec in the interval.
    public static let executed = CachedFileState(rawValue: 4)
}
