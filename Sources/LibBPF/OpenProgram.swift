// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf

/// A program of an object that is not loaded yet: what its file says of it, and its set-up.
///
/// Once the object is loaded, libbpf refuses every change.
public struct OpenProgram {
    let handle: ObjectHandle
    let raw: OpaquePointer

    public var name: String {
        // SAFETY: the name is NUL-terminated and lives as long as the object.
        String(cString: bpf_program__name(raw))
    }

    /// The ELF section, e.g. `tp_btf/sched_process_exec`, without a `?` before it.
    public var section: String {
        // SAFETY: the name is NUL-terminated and lives as long as the object.
        String(cString: bpf_program__section_name(raw))
    }

    /// Where it is meant to attach.
    public var attachPoint: AttachPoint { AttachPoint(section: section) }

    /// Instructions before CO-RE relocation.
    public var instructionCount: Int { bpf_program__insn_cnt(raw) }

    /// Is it to be loaded? A section whose name begins with `?` is not, until it is asked for.
    public var autoloads: Bool { bpf_program__autoload(raw) }

    /// Loads it with its object, or leaves it out.
    ///
    /// - Throws: `BPFError` where the object is loaded already.
    public func setAutoload(_ isWanted: Bool) throws(BPFError) {
        try checked("select program \(name)", program: name) {
            bpf_program__set_autoload(raw, isWanted)
        }
    }

    /// Makes it loadable for links of this kind, which libbpf 1.1 has no section name for.
    ///
    /// - Throws: `BPFError` where the object is loaded already.
    public func prepare(for kind: MultiUprobeOptions.Kind) throws(BPFError) {
        let type = bpf_attach_type(rawValue: UInt32(clibbpf_uprobe_attach_type(kind == .session ? 1 : 0)))
        try checked("prepare program \(name)", program: name) {
            bpf_program__set_type(raw, BPF_PROG_TYPE_KPROBE)
            return bpf_program__set_expected_attach_type(raw, type)
        }
    }

    /// Has the verifier say how much work it is, for `Program.verifiedInstructions`.
    ///
    /// - Throws: `BPFError` where the object is loaded already.
    public func measureVerifier() throws(BPFError) {
        let log = handle.statistics.log(of: name)
        try checked("measure program \(name)", program: name) {
            // BPF_LOG_STATS: a few lines behind a program that is accepted
            bpf_program__set_log_level(raw, 4)
            // SAFETY: the log lives as long as the object that writes to it.
            return bpf_program__set_log_buf(raw, log.baseAddress, log.count)
        }
    }
}
