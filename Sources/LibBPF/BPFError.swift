// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// What the kernel or libbpf refused, with all that helps the reader of it.
///
/// Every C return value of this module passes one of the functions in Checked.swift, so no
/// failure reaches a caller without the operation it belongs to.
public struct BPFError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was being done, e.g. `load program on_exec`.
    public var operation: String
    /// The errno, positive; 0 where there is none. libbpf's own numbers begin at 4000.
    public var code: Int32
    /// libbpf's warnings and the last lines of the verifier's log, oldest first.
    public var log: [String]
    /// The program that could not be loaded or attached, if it is one program's failure.
    public var program: String?

    public init(operation: String, code: Int32, log: [String] = [], program: String? = nil) {
        self.operation = operation
        self.code = code
        self.log = log
        self.program = program
    }

    /// The errno's text, e.g. `Operation not permitted`.
    public var reason: String { errorText(code) }

    /// One line: the operation and the reason.
    public var description: String { code == 0 ? operation : "\(operation): \(reason)" }

    /// What would help, for the caller to put into its own words.
    public enum Remedy: Hashable, Sendable, CaseIterable {
        /// CAP_BPF and CAP_PERFMON, or root; root is refused too where the kernel is locked down.
        case needsPrivilege
        /// A higher RLIMIT_MEMLOCK: before Linux 5.11 maps are counted against it.
        case raiseLockedMemoryLimit
        /// A higher RLIMIT_NOFILE: maps, programs and links are open files.
        case raiseOpenFileLimit
        /// A map of fewer entries: the kernel makes none that large.
        case smallerMap
        /// A program that is less work to verify: the verifier gave up on this one.
        case verifierGaveUp
        /// A kernel that has the function, tracepoint, type or link asked for.
        case missingOnThisKernel
    }

    /// What would help, nil where that is not known.
    public var remedy: Remedy? {
        switch code {
        case EPERM, EACCES: .needsPrivilege
        case EMFILE: .raiseOpenFileLimit
        case ENOMEM: .raiseLockedMemoryLimit
        case E2BIG where program != nil, ENOSPC where program != nil: .verifierGaveUp
        // an update of a map that is full ends so too, but libbpf has no words for that
        case E2BIG where !log.isEmpty: .smallerMap
        case ESRCH where program == nil, ENOENT: .missingOnThisKernel
        default: nil
        }
    }
}

/// The text of an errno; ENOTSUPP too, which the kernel returns and the C library does not know.
public func errorText(_ code: Int32) -> String {
    if code == 524 { return "Operation not supported by the kernel (ENOTSUPP)" }
    // SAFETY: strerror returns a NUL-terminated string that we copy at once.
    return String(cString: strerror(code))
}
