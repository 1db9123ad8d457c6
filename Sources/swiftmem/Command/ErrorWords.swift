// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports
internal import Symbols
internal import SystemLayer
internal import SystemPackage

/// Errors of the libraries in a user's words: the one place where they are worded. Runs throw them as they
/// come; `main` asks here what to say.
extension Failure {
    /// What to say of an error; nil for one of the argument parser's, which has its own words.
    init?(explaining error: any Error) {
        switch error {
        case let error as Failure: self = error
        case let error as BPFError: self.init(error)
        case let error as ProbeError: self.init(error)
        case let error as SymbolError: self.init(error)
        case let error as FileError:
            self.init(status: Self.status(of: error.code), message: Printable.text(error.description))
        case let error as Errno: self.init(status: Self.status(of: error), message: error.description)
        default: return nil
        }
    }

    init(_ error: BPFError) {
        self.init(
            status: Self.status(of: Errno(rawValue: error.code)), message: error.description,
            remedy: error.remedy.map(Self.words), details: error.log)
    }

    /// What would help against a refusal.
    private static func words(_ remedy: BPFError.Remedy) -> String {
        switch remedy {
        case .needsPrivilege:
            "run as root, or with CAP_BPF and CAP_PERFMON; where root is refused too, the kernel is"
                + " locked down (`swiftmem doctor` tells what it still allows)"
        case .raiseLockedMemoryLimit: "raise the locked-memory limit (ulimit -l unlimited)"
        case .raiseOpenFileLimit: "raise the limit on open files (ulimit -n)"
        case .smallerMap: "this kernel makes no map of so many entries: ask for fewer (--max-allocations)"
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

    private static func status(of code: Errno) -> Int32 {
        code == .notPermitted || code == .permissionDenied ? Status.permission : Status.system
    }

    init(_ error: SymbolError) {
        let status =
            switch error {
            case .system(_, _, let code): Self.status(of: Errno(rawValue: code))
            case .kernelAddressesHidden: Status.permission
            case .noKernelSymbols, .malformedELF, .tooLarge, .leftOut, .noDWARF, .noUnwindInformation:
                Status.unavailable
            }
        self.init(status: status, message: Printable.text(error.description))
    }

    /// `--stack` names functions, or is refused.
    init(noKernelSymbols error: SymbolError) {
        self.init(status: Status.unavailable, message: "--stack: \(error)")
    }

    /// A process whose mappings can't be read.
    init(_ error: SymbolError, ofProcess pid: UInt32) {
        switch error {
        case .system(_, _, ENOENT), .system(_, _, ESRCH): self = .badValue("no process has the id \(pid)")
        case .system(_, _, EACCES), .system(_, _, EPERM): self.init(mayNotLookAt: pid)
        default: self.init(status: Status.system, message: "process \(pid): \(Printable.text(error.description))")
        }
    }

    init(mayNotLookAt pid: UInt32) {
        self.init(
            status: Status.permission, message: "process \(pid) may not be looked at",
            remedy: "run as root, or as the process's user with CAP_SYS_PTRACE")
    }

    /// A recorder's file can't be made or written.
    init(cantRecord path: String, _ code: Int32) {
        self.init(
            status: code == EACCES || code == EPERM ? Status.permission : Status.output,
            message: "\(Printable.text(path)): \(String(cString: strerror(code)))",
            remedy: code == ENOSPC ? "the recorder's file takes 40 MiB; name a directory that has room" : nil)
    }

    /// A recorder's file can't be read.
    init(cantRead error: FileError, remedy: String) {
        self.init(
            status: error.code == .noSuchFileOrDirectory ? Status.usage : Self.status(of: error.code),
            message: Printable.text(error.description),
            remedy: error.code == .noSuchFileOrDirectory ? remedy : nil)
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
}
