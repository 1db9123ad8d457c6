// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Reports
internal import SystemLayer

/// A file that is written at the end of a run. It is opened before the start: what can't be written is said at once.
final class OutputFile {
    let path: String
    private let descriptor: OwnedDescriptor

    /// - Parameter option: what names it.
    /// - Throws: `Failure`, exit status 74, where it can't be written.
    init(_ path: String, option: String) throws(Failure) {
        let raw = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0o644)
        guard raw >= 0 else {
            throw Failure(
                status: Failure.Status.output, message: "\(option): \(Printable.text(path)): \(errorText(errno))")
        }
        self.path = path
        descriptor = OwnedDescriptor(owning: raw)
    }

    /// - Throws: `Failure`, exit status 74, where it can't be written.
    func write(_ bytes: [UInt8]) throws(Failure) {
        let code = writeAll(descriptor.raw, bytes)
        guard code == 0 else {
            throw Failure(
                status: Failure.Status.output, message: "can't write \(Printable.text(path)): \(errorText(code))")
        }
    }

    /// Makes it the standard output.
    ///
    /// - Returns: a descriptor of what that was before.
    /// - Throws: `Failure` where there are no descriptors left.
    func becomeStandardOutput() throws(Failure) -> Int32 {
        let before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        guard before >= 0, dup2(descriptor.raw, STDOUT_FILENO) >= 0 else { throw .system("--output") }
        return before
    }
}
