// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer

/// A program of 32 bits: its arguments lie elsewhere and its words are half as wide, which the programs of memleak don't
/// know. It is refused, or said, and nothing of it is counted.
enum NarrowProgram {
    static func refusal(_ pid: UInt32) -> Failure {
        Failure(
            status: Failure.Status.unavailable,
            message: "process \(pid) runs a 32-bit program: memleak sees 64-bit programs alone")
    }

    /// What is said of one among others.
    static func words(_ pid: UInt32) -> String {
        "process \(pid) runs a 32-bit program: what it allocates is not seen"
    }
}
