// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// What the live tests may do on this machine, and how much they must.
enum Live {
    private static let environment = ProcessInfo.processInfo.environment

    /// `SWIFTMEM_LIVE=require`: a test that can't run fails instead of being skipped.
    static let required = environment["SWIFTMEM_LIVE"] == "require"

    /// `SWIFTMEM_TESTS=brief`: tests that bear the tag `brief` run, all others are skipped.
    static let isBrief = environment["SWIFTMEM_TESTS"] == "brief"

    /// Is this a machine of the kernel matrix?
    static let inMatrix = environment["SWIFTMEM_RESULTS"] != nil

    /// Is this a guest that the matrix has booted, whose memory a test may use up?
    static let inGuest =
        inMatrix && (try? String(contentsOfFile: "/proc/cmdline", encoding: .utf8))?.contains("rdinit=/init") == true

    /// A directory on a real file system, for page cache work.
    static let scratch = environment["SWIFTMEM_SCRATCH"] ?? "/var/tmp"

    /// How large a file page cache tests use: an emulated CPU is slow.
    static let fileMegabytes = inMatrix ? 24 : 100

    /// Why live tests can't run here; nil when they can.
    static let obstacle: String? = {
        if geteuid() != 0 { return "not root" }
        return Doctor.all == nil ? "no swiftmem binary at \(Tool.binary.path)" : nil
    }()

    /// The condition of every live test: true where they can run, and where they must.
    static var canRun: Bool { obstacle == nil || required }

    /// Is the running kernel's memory controller cgroup v2?
    static let unified =
        access("/sys/fs/cgroup/memory.stat", F_OK) == 0
        || (try? String(contentsOfFile: "/sys/fs/cgroup/cgroup.controllers", encoding: .utf8))?
            .contains("memory") == true

    /// Where cgroups with a memory controller are made.
    static let memoryCgroups = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"

    /// What to throw where the machine lacks something that a test needs: a failure where tests are required,
    /// else a skip with this reason.
    static func lacking(_ what: String) -> any Error {
        required ? HarnessError(description: what) : Unsupported(what)
    }
}

/// Thrown by a test that this machine can give no answer to. The test is skipped by name, with the reason.
struct Unsupported: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// What keeps a test from asking its question.
struct HarnessError: Error, CustomStringConvertible {
    let description: String
}

extension Tag {
    /// One of the tests that together exercise every ladder of every tool, for emulated kernels.
    @Tag static var brief: Tag
}

/// Every live test belongs to this suite: one at a time, for they share the machine.
@Suite(.serialized, .recorded, .enabled(if: Live.canRun, "\(Live.obstacle ?? "")"))
enum LiveTests {}
