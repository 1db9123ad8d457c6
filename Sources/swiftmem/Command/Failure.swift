// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports

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
    }

    let status: Int32
    let message: String
    var remedy: String?
    /// Shown as they are, below: a verifier's last words.
    var details: [String] = []

    /// Says it on standard error.
    func report() {
        var text = "swiftmem: \(message)\n"
        if let remedy { text += "  \(remedy)\n" }
        for detail in details { text += "  | \(detail)\n" }
        writeAll(STDERR_FILENO, Array(text.utf8))
    }
}

extension Failure {
    init(_ error: BPFError) {
        let refused = error.code == EPERM || error.code == EACCES
        self.init(
            status: refused ? Status.permission : Status.system, message: error.description,
            remedy: error.remedy.map(Self.words), details: error.log)
    }

    /// What would help against a refusal, in a user's words.
    private static func words(_ remedy: BPFError.Remedy) -> String {
        switch remedy {
        case .needsPrivilege:
            "run as root, or with CAP_BPF and CAP_PERFMON; where root is refused too, the kernel is"
                + " locked down (`swiftmem doctor` tells what it still allows)"
        case .raiseLockedMemoryLimit: "raise the locked-memory limit (ulimit -l unlimited)"
        case .verifierGaveUp: "the verifier gave up; run with --verbose and report its log"
        case .missingOnThisKernel: "this kernel has no such function, tracepoint or BTF; see `swiftmem doctor`"
        }
    }

    init(_ error: ProbeError) {
        switch error {
        case .refused(let error): self.init(error)
        case .unavailable(let tool, let choice):
            self.init(
                status: Status.unavailable,
                message: "\(tool) can't see \(choice.ladder.sees) on this kernel",
                remedy: "`swiftmem doctor` tells what works here and what would help",
                details: choice.passedOver.map { "\($0.rung): \($0.reason)" })
        }
    }

    /// Without type information no program fits itself to the kernel.
    init(missingBTF error: BPFError, in file: String?) {
        if let file {
            self.init(
                status: Status.unavailable,
                message: "no type information (BTF) can be read from \(Printable.text(file)): "
                    // libbpf's own error numbers begin there
                    + (error.code < 4000 ? error.reason : "it is of another format"))
        } else {
            self.init(
                status: Status.unavailable,
                message: "this kernel has no type information (/sys/kernel/btf/vmlinux)",
                remedy: "a kernel built with CONFIG_DEBUG_INFO_BTF has it; else make it of this kernel's "
                    + "vmlinux with `pahole --btf_encode_detached FILE vmlinux`, and name it with --btf FILE")
        }
    }

    static func usage(_ message: String) -> Failure {
        Failure(status: Status.usage, message: message)
    }

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
