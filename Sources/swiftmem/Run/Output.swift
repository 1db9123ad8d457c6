// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Reports

/// Standard output, a report at a time: lines gather and are written together, so
/// that a reader never sees half an interval and a pipe gets few writes.
struct Output: ~Copyable {
    private var bytes: [UInt8] = []
    /// For standard error, behind what goes to standard output.
    private var notes: [UInt8] = []
    private var writer: Optional<PatientWriter> = nil

    mutating func print(_ line: String) {
        bytes += line.utf8
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func print(_ line: consuming JSONLine) {
        bytes += line.finish()
        bytes.append(UInt8(ascii: "\n"))
    }

    /// A line about the report rather than of it, for standard error: who parses the report meets it nowhere.
    mutating func note(_ line: String) {
        notes += line.utf8
        notes.append(UInt8(ascii: "\n"))
    }

    /// Takes another's lines behind its own.
    mutating func append(_ other: consuming Output) {
        bytes += other.bytes
        notes += other.notes
    }

    /// Writes what has gathered.
    ///
    /// - Returns: false when nobody reads any more.
    /// - Throws: `Failure`, exit status 74, when it can't be written (a full disk), or when the run is to end and the
    ///   reader takes nothing.
    mutating func flush() throws(Failure) -> Bool {
        defer {
            // a report is worth no less where its notes can't be written
            if !notes.isEmpty { _ = PatientWriter(STDERR_FILENO).write(notes) }
            notes.removeAll(keepingCapacity: true)
        }
        guard !bytes.isEmpty else { return true }
        defer { bytes.removeAll(keepingCapacity: true) }
        let end = write()
        switch end {
        case .written: return true
        case .failed(EPIPE): return false
        case .failed(let code):
            throw Failure(status: Failure.Status.output, message: "can't write the report: \(errorText(code))")
        case .interrupted(let left):
            let lines = bytes.suffix(left).count { $0 == UInt8(ascii: "\n") }
            throw Failure(
                status: Failure.Status.output,
                message: "the reader of the report has stopped reading: its last \(lines) lines are not written")
        }
    }

    private mutating func write() -> PatientWriter.End {
        if writer == nil { writer = PatientWriter() }
        return writer?.write(bytes) ?? .written
    }
}
