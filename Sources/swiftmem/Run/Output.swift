// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Reports

/// Standard output, a report at a time: lines gather and are written together, so
/// that a reader never sees half an interval and a pipe gets few writes.
struct Output: ~Copyable {
    private var bytes: [UInt8] = []

    mutating func print(_ line: String) {
        bytes += line.utf8
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func print(_ line: consuming JSONLine) {
        bytes += line.finish()
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Takes another's lines behind its own.
    mutating func append(_ other: consuming Output) { bytes += other.bytes }

    /// Writes what has gathered.
    ///
    /// - Returns: false when nobody reads any more.
    /// - Throws: `Failure` when it can't be written (a full disk), exit status 74.
    mutating func flush() throws(Failure) -> Bool {
        guard !bytes.isEmpty else { return true }
        let code = writeAll(STDOUT_FILENO, bytes)
        bytes.removeAll(keepingCapacity: true)
        switch code {
        case 0: return true
        case EPIPE: return false
        default:
            throw Failure(
                status: Failure.Status.output, message: "can't write the report: \(errorText(code))")
        }
    }
}
