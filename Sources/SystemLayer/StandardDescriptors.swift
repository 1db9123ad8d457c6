// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Standard input, output and error of this process.
public enum StandardDescriptors {
    /// Opens on /dev/null those that the parent left closed: what is opened next would be taken for them, and a
    /// report be written into it. To be called before anything is opened.
    public static func openMissing() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // the lowest that is free: this one
            _ = open("/dev/null", O_RDWR)
        }
    }
}
