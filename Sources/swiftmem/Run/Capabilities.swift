// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer

/// What this process may do, by /proc/self/status (capabilities(7)).
struct Capabilities: Equatable {
    static let sysAdmin = 21, perfmon = 38, bpf = 39

    let effective: UInt64

    /// Nothing may be done where the status says nothing.
    init(_ status: ProcessStatus?) {
        effective = (status?.words("CapEff")?.first).flatMap { UInt64($0, radix: 16) } ?? 0
    }

    static var own: Capabilities { Capabilities(ProcessFiles.own.status) }

    func has(_ capability: Int) -> Bool { effective >> capability & 1 != 0 }

    /// The names of those that tracing needs and this process lacks.
    var missing: [String] {
        if has(Self.sysAdmin) { return [] }
        return [(Self.bpf, "CAP_BPF"), (Self.perfmon, "CAP_PERFMON")]
            .filter { !has($0.0) }.map(\.1)
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
