// SPDX-License-Identifier: Apache-2.0

/// A shared-memory system call that returned.
public struct ShmCall: Hashable, Sendable {
    public var time: UInt64
    public var pid: UInt32
    public var tid: UInt32
    public var comm: String
    public var kind: Kind
    /// What the call gives a C program: a number or an address; negative: an errno.
    public var result: Int64
    public var arguments: [UInt64]
    /// The file's or the object's, where the call has one.
    public var name: String?
    /// The name that rename gave.
    public var newName: String?
    public var durationNanoseconds: UInt64?
    /// Made through the kernel's 32-bit entry.
    public var compat: Bool

    public enum Kind: UInt32, Sendable, CaseIterable {
        case shmget = 1, shmat, shmdt, shmctl, open, unlink, memfd, secret, truncate, fcntl, mmap, munmap, rename

        /// As C programs call it.
        public var name: String {
            switch self {
            case .shmget: "shmget"
            case .shmat: "shmat"
            case .shmdt: "shmdt"
            case .shmctl: "shmctl"
            case .open: "shm_open"
            case .unlink: "shm_unlink"
            case .memfd: "memfd_create"
            case .secret: "memfd_secret"
            case .truncate: "ftruncate"
            case .fcntl: "fcntl"
            case .mmap: "mmap"
            case .munmap: "munmap"
            case .rename: "rename"
            }
        }

        /// Is its result an address?
        var givesAddress: Bool { self == .shmat || self == .mmap }
    }

    /// The errno of a call that failed. Addresses above are no errors: the kernel's
    /// last page is never mapped (IS_ERR_VALUE).
    public var error: Int32? { result < 0 && result >= -4095 ? Int32(-result) : nil }

    /// `EINVAL`, `524` for one without a name.
    public var errorName: String? { error.map { ErrnoName.name($0) ?? String($0) } }

    // Arguments as their types; what a register holds beyond an int is not the call's.
    func word(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: arguments[index]) }
    func int(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: arguments[index]) }
}
