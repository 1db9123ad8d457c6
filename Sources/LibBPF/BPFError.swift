// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

/// What the kernel or libbpf refused, with all that helps the reader of it.
///
/// Every C return value of this module passes one of the funnels below, so no
/// failure reaches a caller without the operation it belongs to.
public struct BPFError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was being done, e.g. `load program oom_begin_fentry`.
    public var operation: String
    /// The errno, positive; 0 where there is none.
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

    /// What to do about it, in one line, where that is known.
    public var remedy: String? {
        switch code {
        case EPERM, EACCES:
            "run as root, or with CAP_BPF and CAP_PERFMON; where root is refused too, the kernel is"
                + " locked down (`swiftmem doctor` tells what it still allows)"
        case ENOMEM:
            "raise the locked-memory limit (ulimit -l unlimited)"
        case E2BIG where program != nil, ENOSPC where program != nil:
            "the verifier gave up; run with --verbose and report its log"
        case ESRCH where program == nil, ENOENT:
            "this kernel has no such function, tracepoint or BTF; see `swiftmem doctor`"
        default: nil
        }
    }
}

/// strerror(), and ENOTSUPP, which the kernel returns and the C library does not know.
public func errorText(_ code: Int32) -> String {
    if code == 524 { return "Operation not supported by the kernel (ENOTSUPP)" }
    // SAFETY: strerror returns a NUL-terminated string that we copy at once.
    return String(cString: strerror(code))
}

/// Calls that return a negative errno (libbpf 1.x) or -1 with errno set.
@discardableResult
func checked(
    _ operation: @autoclosure () -> String, program: String? = nil, _ body: () -> Int32
) throws(BPFError) -> Int32 {
    LogCapture.shared.begin()
    let result = body()
    guard result < 0 else { return result }
    throw BPFError(
        operation: operation(), code: -result, log: LogCapture.shared.lines, program: program)
}

/// Calls that return a pointer, or NULL with errno set.
func checkedPointer(
    _ operation: @autoclosure () -> String, program: String? = nil, _ body: () -> OpaquePointer?
) throws(BPFError) -> OpaquePointer {
    LogCapture.shared.begin()
    if let pointer = body() { return pointer }
    throw BPFError(
        operation: operation(), code: errno, log: LogCapture.shared.lines, program: program)
}
