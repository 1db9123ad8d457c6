// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// The kernel log, or a saved copy of it.
enum KernelLog {
    /// A larger file is refused: no kernel's log buffer is so large.
    private static let mostBytes = 256 << 20

    /// All records in the kernel's log buffer, one a line (Documentation/ABI/testing/dev-kmsg).
    ///
    /// - Throws: `Failure` where it may not be read: kernel.dmesg_restrict.
    static func text() throws(Failure) -> String {
        let raw = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard raw >= 0 else { throw refusal(errno) }
        let descriptor = OwnedDescriptor(owning: raw)
        var text: [UInt8] = []
        // a record is of 8 KiB at most (PRINTK_MESSAGE_MAX)
        var record = [UInt8](repeating: 0, count: 16384)
        while text.count < mostBytes {
            let count = read(descriptor.raw, &record, record.count)
            if count > 0 {
                text += record.prefix(count)
            } else if count == 0 || errno == EAGAIN {
                break
            } else if errno != EPIPE && errno != EINTR {
                // EPIPE: overwritten meanwhile; the next read goes on with what is there
                throw refusal(errno)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A log that was saved by dmesg or journalctl.
    ///
    /// - Throws: `Failure` where it can't be read.
    static func text(of path: String) throws(Failure) -> String {
        do throws(FileError) {
            return String(decoding: try OpenFile(regular: FilePath(path)).readAll(limit: mostBytes), as: UTF8.self)
        } catch {
            throw Failure(
                status: error.code == .noSuchFileOrDirectory ? Failure.Status.usage : Failure.Status.system,
                message: Printable.text(error.description))
        }
    }

    private static func refusal(_ code: Int32) -> Failure {
        Failure(
            status: code == EPERM || code == EACCES ? Failure.Status.permission : Failure.Status.system,
            message: "/dev/kmsg: \(String(cString: strerror(code)))",
            remedy: "run as root, or give --from a log that was saved by dmesg -T or journalctl -k -o short-iso")
    }
}
