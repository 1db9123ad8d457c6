// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports

/// What holds memory, by the kernel's iterators, for whoever may run them: a pass over all processes that costs a
/// fraction of /proc's files, and sees what these do not tell.
final class KernelWalk {
    private let probes: AttachedProbes

    private init(_ probes: consuming AttachedProbes) { self.probes = probes }

    /// - Returns: nil where this process may not, or this kernel can't: then there is /proc.
    /// - Throws: `Failure` where SWIFTMEM_RUNG asks for what is not.
    static func begin() throws(Failure) -> KernelWalk? {
        let forced = try Environment.forcedRungs()
        let kernel = try Environment.kernel(btf: nil)
        if let running = kernel as? RunningKernel {
            guard Capabilities.own.missing.isEmpty, running.missingBTF() == nil else { return nil }
        } else {
            return nil
        }
        let probes = MemInfo.mode.probes
        do throws(ProbeError) {
            return KernelWalk(
                try AttachedProbes.attach(
                    probes, image: objectImage(probes.object), oracle: kernel, forced: forced,
                    configure: MemInfo.mode.prepare))
        } catch {
            return nil
        }
    }

    /// Each ladder, and which of its rungs is used; nil: none.
    var rungs: [(String, String?)] { probes.resolution.choices.map { ($0.ladder.id, $0.rung?.id) } }

    /// The parts whose pages it tells.
    private var known: Set<MemoryPart> {
        var parts: Set<MemoryPart> = []
        let resolution = probes.resolution
        if resolution[MemInfo.Files.self] != nil {
            parts = [.pipes, .sockets, .perfRings]
            if resolution[MemInfo.PacketRings.self] != nil { parts.insert(.packetRings) }
        }
        if resolution[MemInfo.BPFRings.self] != nil { parts.insert(.bpfRings) }
        return parts
    }

    /// What it found in one pass.
    struct Found {
        var pages: HeldPages
        /// Files of a tmpfs and who has them; nil: that is not told here.
        var files: [MemoryHolding]?
        var namespaces: [ProcessNamespaces] = []
    }

    /// What is open and mapped now. A part whose iterator the kernel ends with an error is not known.
    func look() -> Found {
        var known = known
        let program = probes.resolution[MemInfo.Files.self]?.program ?? ""
        let open = run(program, MemInfo.Files.self).map { MemoryHolding.all($0) }
        if open == nil { known.subtract([.pipes, .sockets, .perfRings, .packetRings]) }
        let rings = run("bpf_ring_iter", MemInfo.BPFRings.self).map { MemoryHolding.all($0) }
        if rings == nil { known.remove(.bpfRings) }
        var found = Found(pages: HeldPages(known: known))
        for holding in (open ?? []) + (rings ?? []) { found.pages.add(holding) }
        guard let open, let mapped = run("shared_mapping_iter", MemInfo.Mappings.self),
            let namespaces = run("namespaces_iter", MemInfo.Files.self)
        else { return found }
        found.files = open.filter { $0.kind == .shared } + MemoryHolding.all(mapped)
        found.namespaces = ProcessNamespaces.all(namespaces)
        return found
    }

    /// What each process has; nil: it is not told here.
    func processes() -> [ProcessMemory]? {
        run("process_memory_iter", MemInfo.Processes.self).map { ProcessMemory.all($0) }
    }

    /// - Returns: the program's records; nil where the ladder has no rung, or the kernel ends the iterator.
    private func run(_ program: String, _ ladder: (some Ladder).Type) -> [UInt8]? {
        guard probes.resolution[ladder] != nil else { return nil }
        return try? probes.object.program(program).runIterator()
    }
}
