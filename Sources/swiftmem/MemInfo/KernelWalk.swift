// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports

/// Finds what holds memory by the kernel's iterators. A pass over all processes costs a fraction of reading /proc, and
/// sees pipes, sockets and rings, which /proc does not show.
final class KernelWalk {
    private let probes: AttachedProbes

    private init(_ probes: consuming AttachedProbes) { self.probes = probes }

    /// - Returns: nil where this process lacks the capabilities or the kernel the iterators: /proc is read instead.
    /// - Throws: `Failure` where SWIFTMEM_RUNG asks for a rung that can't be used.
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

    /// Each ladder with the rung in use; nil where none is.
    var rungs: [(String, String?)] { probes.resolution.rungNames }

    /// The parts of memory that it finds.
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

    /// The result of one pass.
    struct Found {
        var pages: HeldPages
        /// Files of a tmpfs and their holders; nil: not known from here.
        var files: [MemoryHolding]?
        var namespaces: [ProcessNamespaces] = []
    }

    /// Open files and mappings now. A part whose iterator fails is not known.
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

    /// The memory of each process; nil: not known from here.
    func processes() -> [ProcessMemory]? {
        run("process_memory_iter", MemInfo.Processes.self).map { ProcessMemory.all($0) }
    }

    /// - Returns: the program's records; nil where the ladder has no rung, or the iterator fails.
    private func run(_ program: String, _ ladder: (some Ladder).Type) -> [UInt8]? {
        guard probes.resolution[ladder] != nil else { return nil }
        return try? probes.object.program(program).runIterator()
    }
}
