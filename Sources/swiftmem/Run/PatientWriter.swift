// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import LibBPF
internal import SystemLayer

/// Writes to standard output, or error, without being caught in write(): a signal that ends the run ends the wait for a reader.
struct PatientWriter: ~Copyable {
    enum End: Equatable {
        case written
        /// With this errno.
        case failed(Int32)
        /// The run is to end, and nobody reads: so many bytes are left.
        case interrupted(Int)
    }

    /// What a pipe takes without waiting once poll() says that it takes something (pipe(7): PIPE_BUF).
    private static let pipePiece = 4096
    /// Milliseconds that a reader has left when the run is to end.
    private static let grace: Int32 = 500

    private let output: Int32
    private let owned: OwnedDescriptor?
    /// -1, which poll() passes over, where there is none.
    private let signals: Int32
    /// How many bytes a write may have.
    private let piece: Int

    init(_ output: Int32 = STDOUT_FILENO) {
        self.output = output
        var set = Signals.ending()
        // They are not read here: the run's own loop does that.
        let descriptor = signalfd(-1, &set, 0x80800)
        owned = descriptor < 0 ? nil : OwnedDescriptor(owning: descriptor)
        signals = descriptor
        var status = stat()
        let isFile = fstat(output, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        piece = isFile ? .max : Self.pipePiece
    }

    func write(_ bytes: [UInt8]) -> End { bytes.withUnsafeBytes { write($0) } }

    private func write(_ bytes: UnsafeRawBufferPointer) -> End {
        var done = 0
        while done < bytes.count {
            guard isWritable() else { return .interrupted(bytes.count - done) }
            // SAFETY: a part of the buffer, never past its end.
            let count = Glibc.write(
                output, bytes.baseAddress?.advanced(by: done), min(piece, bytes.count - done))
            if count >= 0 {
                done += count
            } else if errno != EINTR && errno != EAGAIN {
                return .failed(errno)
            }
        }
        return .written
    }

    /// Waits until the output takes something; false: the run is to end, and it does not.
    private func isWritable() -> Bool {
        var waits = [
            pollfd(fd: output, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let count = poll(&waits, 2, -1)
            if count < 0 && errno == EINTR { continue }
            // an error of the output shows when it is written to
            if count < 0 || waits[0].revents != 0 { return true }
            return poll(&waits, 1, Self.grace) != 0
        }
    }
}
