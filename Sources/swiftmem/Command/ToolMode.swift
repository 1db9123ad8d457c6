// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import SystemLayer

/// One way in which a tool runs: what it attaches to, and how that is set up before the kernel loads it.
struct ToolMode {
    /// Sets the programs' read-only data and the maps' sizes, as the options and the rungs chosen want them.
    typealias Configure = (borrowing OpenObject, Resolution) throws(BPFError) -> Void

    /// In a word, where a tool has several; nil: the tool as such.
    let name: String?
    let probes: ProbeSet
    /// What it uses capabilities for, beyond tracing as such.
    let uses: [CapabilityUse]
    /// It runs a command, which is to have all that the caller may do.
    let runsCommand: Bool
    /// Capabilities that a run with these rungs still uses once its probes are attached.
    private let keepsBesides: (Resolution) -> Set<Capability>
    private let configure: Configure

    /// - Parameters:
    ///   - object: the BPF object's name, where it is not the tool's.
    ///   - ladders: attached in this order.
    ///   - uses: what it uses capabilities for, beyond tracing as such.
    ///   - runsCommand: it keeps all capabilities, for the command that it runs.
    ///   - keepsBesides: what only some rungs go on using.
    init(
        _ name: String? = nil, of tool: String, object: String? = nil, ladders: [any Ladder.Type],
        uses: [CapabilityUse] = [], runsCommand: Bool = false,
        keepsBesides: @escaping (Resolution) -> Set<Capability> = { _ in [] },
        configure: @escaping Configure
    ) {
        self.name = name
        self.probes = ProbeSet(tool: tool, object: object, ladders: ladders)
        self.uses = uses
        self.runsCommand = runsCommand
        self.keepsBesides = keepsBesides
        self.configure = configure
    }

    /// The capabilities that a run still uses once its probes are attached.
    var kept: Set<Capability> { Set((CapabilityUse.tracing + uses).filter(\.isKept).map(\.capability)) }

    /// Gives up what is not used any more.
    ///
    /// - Throws: `Failure` where the kernel keeps what is given up.
    func dropPrivileges(_ resolution: Resolution) throws(Failure) {
        guard !runsCommand else { return }
        var kept = kept.union(keepsBesides(resolution))
        // tracing by CAP_SYS_ADMIN alone, as before Linux 5.8
        if !Capabilities.own.has(.bpf) { kept.insert(.sysAdmin) }
        if Privileges.procHidesProcesses { kept.insert(.sysPtrace) }
        try Privileges.drop(keeping: kept)
    }

    /// Sets up what is about to be loaded.
    ///
    /// - Throws: `BPFError` where the object lacks a map or a variable that is set, or has it in another size.
    func prepare(_ object: borrowing OpenObject, _ resolution: Resolution) throws(BPFError) {
        // BPF/lib/percpu.h: programs that sum over the CPUs
        if object.maps.contains(where: { $0.name == ".rodata.cpus" }) {
            try object.setReadOnlyData(".rodata.cpus", to: UInt32(possibleCPUs))
        }
        // BPF/lib/page.h: programs to which pages are bytes
        if object.maps.contains(where: { $0.name == ".rodata.page" }) {
            try object.setReadOnlyData(".rodata.page", to: UInt32(pageBytes.trailingZeroBitCount))
        }
        try configure(object, resolution)
    }
}
