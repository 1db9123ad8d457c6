// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Reports
internal import SystemLayer

/// Why a run ends early: one line for the user, with the remedy, and the exit status.
struct Failure: Error, Equatable {
    /// Exit statuses, with their meaning in sysexits.h.
    enum Status {
        static let usage: Int32 = 64
        static let unavailable: Int32 = 69
        static let incomplete: Int32 = 70
        static let system: Int32 = 71
        static let output: Int32 = 74
        static let permission: Int32 = 77

        /// Each with its meaning, as manual pages tell it.
        static let meanings: [(code: Int32, meaning: String)] = [
            (0, "It ended by itself, by Ctrl-C, by SIGTERM, or because the reader of its output went away."),
            (1, "memleak --fail-on-leak: a stack leaks."),
            (usage, "It was called in a wrong way."),
            (unavailable, "This kernel lacks what the tool needs."),
            (incomplete, "--strict was given, and something was lost."),
            (system, "The system refused something that it should not."),
            (output, "The output can't be written."),
            (permission, "Permissions are missing."),
        ]
    }

    let status: Int32
    let message: String
    var remedy: String?
    /// Shown as they are, below: a verifier's last words.
    var details: [String] = []
    /// The command was called in a way it can't be: its usage is shown too.
    var isMisuse = false

    /// Says it on standard error.
    ///
    /// - Parameter usage: how the command is called.
    func report(usage: String) {
        var text = "swiftmem: \(message)\n"
        if let remedy { text += "  \(remedy)\n" }
        if isMisuse { text += "Usage: " + usage.split(separator: "\n").joined(separator: "\n       ") + "\n" }
        for detail in details { text += "  | \(detail)\n" }
        writeAll(STDERR_FILENO, Array(text.utf8))
    }
}

extension Failure {
    /// Options that don't go together, or one that lacks another.
    static func usage(_ message: String) -> Failure {
        Failure(status: Status.usage, message: message, isMisuse: true)
    }

    /// A value that names nothing there is. The usage would not help.
    static func badValue(_ message: String) -> Failure {
        Failure(status: Status.usage, message: message)
    }

    /// Each probe is an open file, and each question to the kernel about one.
    ///
    /// - Throws: where no more than a few may be opened: all that follows would seem to be refused.
    static func checkRoomForFiles(_ tool: String) throws(Failure) {
        guard OpenFileLimit.room(filesNeeded) < filesNeeded else { return }
        throw Failure(
            status: Status.system, message: "\(tool) may open too few files: it needs \(filesNeeded)",
            remedy: "raise the limit: ulimit -n 1024")
    }

    private static let filesNeeded = 48

    static func system(_ operation: String, _ code: Int32 = errno) -> Failure {
        Failure(status: Status.system, message: "\(operation): \(errorText(code))")
    }
}

/// Writes all bytes, over and over where the file takes a part. Returns an errno, 0 when done.
@discardableResult
func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Int32 {
    bytes.withUnsafeBytes { bytes in
        var done = 0
        while done < bytes.count {
            // SAFETY: the remainder of the buffer, never past its end.
            let count = write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
            if count >= 0 {
                done += count
            } else if errno != EINTR && errno != EAGAIN {
                return errno
            }
        }
        return 0
    }
}
