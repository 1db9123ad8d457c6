// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import SystemLayer

/// A capability that a tool has a use for; the number is the kernel's (capability.h).
enum Capability: Int, CaseIterable {
    case dacReadSearch = 2
    case sysPtrace = 19
    case sysAdmin = 21
    case syslog = 34
    case perfmon = 38
    case bpf = 39
    /// Linux 5.9.
    case checkpointRestore = 40

    var name: String {
        switch self {
        case .dacReadSearch: "CAP_DAC_READ_SEARCH"
        case .sysPtrace: "CAP_SYS_PTRACE"
        case .sysAdmin: "CAP_SYS_ADMIN"
        case .syslog: "CAP_SYSLOG"
        case .perfmon: "CAP_PERFMON"
        case .bpf: "CAP_BPF"
        case .checkpointRestore: "CAP_CHECKPOINT_RESTORE"
        }
    }
}

/// What this process may do, by /proc/self/status (capabilities(7)).
struct Capabilities: Equatable {
    let effective: UInt64

    /// Nothing may be done where the status says nothing.
    init(_ status: ProcessStatus?) {
        effective = (status?.words("CapEff")?.first).flatMap { UInt64($0, radix: 16) } ?? 0
    }

    static var own: Capabilities { Capabilities(ProcessFiles.own.status) }

    func has(_ capability: Capability) -> Bool { effective >> capability.rawValue & 1 != 0 }

    /// By itself, or by CAP_SYS_ADMIN, which these three were split from.
    private func may(_ capability: Capability) -> Bool {
        has(capability) || ([.bpf, .perfmon, .checkpointRestore].contains(capability) && has(.sysAdmin))
    }

    /// The names of those that tracing needs and this process lacks.
    var missing: [String] { [Capability.bpf, .perfmon].filter { !may($0) }.map(\.name) }

    /// What a tool does less well here, a line each: for want of which capability.
    func wanting(_ uses: [CapabilityUse]) -> [String] {
        uses.filter { !may($0.capability) }.map { "without \($0.capability.name): \($0.without)" }
    }

    /// - Throws: `Failure`, exit status 77, naming what is missing and how to get it.
    func require(for tool: String) throws(Failure) {
        let missing = missing
        guard !missing.isEmpty else { return }
        throw Failure(
            status: Failure.Status.permission,
            message: "\(tool) needs \(missing.joined(separator: " and "))",
            remedy: "run it with sudo, or once: sudo setcap cap_bpf,cap_perfmon,cap_dac_read_search+ep"
                + " $(command -v swiftmem)")
    }
}

/// What a tool uses a capability for, beyond those that all tracing needs.
struct CapabilityUse: Equatable {
    let capability: Capability
    /// What is not seen without it.
    let without: String
    /// It is used after the probes are attached too.
    let isKept: Bool

    /// Functions of the kernel by name, for tools that show its stacks.
    static let kernelNames = CapabilityUse(
        capability: .syslog, without: "functions of the kernel stay without names", isKept: true)
    /// Processes of other users: their mappings, files and memory.
    static let otherUsersProcesses: [CapabilityUse] = [
        CapabilityUse(
            capability: .sysPtrace, without: "processes of other users can't be looked at before Linux 6.15",
            isKept: true),
        CapabilityUse(
            capability: .dacReadSearch, without: "files that this user may not read give no functions", isKept: true),
        CapabilityUse(
            capability: .checkpointRestore, without: "files that were deleted or replaced give no functions",
            isKept: true),
    ]
}

extension CapabilityUse {
    /// What all tracing needs: map look-ups need the first as long as a tool runs, before Linux 5.14.
    static let tracing: [CapabilityUse] = [
        CapabilityUse(capability: .bpf, without: "nothing can be traced", isKept: true),
        CapabilityUse(capability: .perfmon, without: "nothing can be traced", isKept: false),
    ]
}

/// What a run may do once its probes are attached.
enum Privileges {
    /// Gives up all capabilities but these, for good.
    ///
    /// - Throws: `Failure` where the kernel keeps what is given up.
    static func drop(keeping kept: Set<Capability>) throws(Failure) {
        let code = clinux_keep_capabilities(kept.reduce(UInt64(0)) { $0 | 1 << UInt64($1.rawValue) })
        guard code == 0 else { throw .system("capset", -code) }
    }

    /// With hidepid= on /proc nobody else's command line is seen without it.
    static var procHidesProcesses: Bool {
        ProcFS.text("self/mounts").split(separator: "\n").contains { line in
            line.split(separator: " ").dropFirst().first == "/proc" && line.contains("hidepid=")
                && !line.contains("hidepid=0") && !line.contains("hidepid=off")
        }
    }
}
