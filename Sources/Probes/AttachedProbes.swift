// SPDX-License-Identifier: Apache-2.0
public import LibBPF

/// Why a tool's probes could not be put in place.
public enum ProbeError: Error, Sendable {
    /// A ladder the tool can't do without has no rung on this kernel.
    case unavailable(tool: String, Choice)
    case refused(BPFError)
}

/// A tool's programs, loaded and attached. Letting go of it detaches and unloads.
public struct AttachedProbes: ~Copyable {
    // Destroyed in this order: links first, then what they link.
    private let links: LinkSet
    public let object: LoadedObject
    /// Which rungs it stands on.
    public let resolution: Resolution

    /// Resolves, loads and attaches; programs of user functions are left to be attached
    /// by whoever knows their places. A rung that the oracle thought possible and the
    /// kernel then refuses to load or attach (the verifier's no, EBUSY) is passed over,
    /// and the next one tried.
    ///
    /// - Parameters:
    ///   - configure: sets read-only data and map sizes, knowing the rungs chosen.
    ///   - note: hears of every rung that was refused at the load or the attach.
    /// - Throws: `ProbeError`.
    public static func attach(
        _ probes: ProbeSet, image: UnsafeRawBufferPointer, oracle: any KernelOracle,
        forced: ForcedRungs = ForcedRungs(), btf: String? = nil,
        configure: (borrowing OpenObject, Resolution) throws(BPFError) -> Void,
        note: (String) -> Void = { _ in }
    ) throws(ProbeError) -> AttachedProbes {
        var resolver = Resolver(oracle: oracle, forced: forced)
        while true {
            let object = try open(probes, image: image)
            let resolution = resolve(probes, object, resolver: resolver)
            if let missing = resolution.missing.first {
                throw .unavailable(tool: probes.tool, missing)
            }
            let types = oracle.relocationTypes(for: object)
            do throws(BPFError) {
                return try AttachedProbes(
                    resolution, image: image, types: types, btf: btf, configure: configure)
            } catch {
                // a shortage is this process's, and says nothing of the rung
                guard error.remedy != .raiseOpenFileLimit, let program = error.program,
                    let choice = resolution.choice(of: program), let rung = choice.rung
                else { throw .refused(error) }
                note("\(choice.ladder.id): rung \(rung.id) is refused: \(error)")
                resolver.refuse(rung, of: choice.ladder, because: error.description)
            }
        }
    }

    /// Resolves a tool's ladders without loading anything.
    ///
    /// - Throws: `ProbeError.refused` where the image is no BPF object.
    public static func resolve(
        _ probes: ProbeSet, image: UnsafeRawBufferPointer, resolver: Resolver
    ) throws(ProbeError) -> Resolution {
        resolve(probes, try open(probes, image: image), resolver: resolver)
    }

    private static func open(_ probes: ProbeSet, image: UnsafeRawBufferPointer) throws(ProbeError) -> OpenObject {
        do throws(BPFError) {
            return try OpenObject(image: image.bytes, name: probes.object)
        } catch {
            throw .refused(error)
        }
    }

    private static func resolve(
        _ probes: ProbeSet, _ object: borrowing OpenObject, resolver: Resolver
    ) -> Resolution {
        resolver.resolve(
            probes,
            sections: Dictionary(
                object.programs.map { ($0.name, $0.attachPoint) }, uniquingKeysWith: { first, _ in first }))
    }

    private init(
        _ resolution: Resolution, image: UnsafeRawBufferPointer, types: borrowing BTFFile?,
        btf: String?, configure: (borrowing OpenObject, Resolution) throws(BPFError) -> Void
    ) throws(BPFError) {
        // libbpf reads the file when it loads, and then alone
        let path =
            switch types {
            case .some(let file): file.path
            case nil: btf
            }
        let open = try OpenObject(image: image.bytes, name: resolution.object, btf: path)
        try open.autoload(only: Set(resolution.programs))
        for map in resolution.idleMaps { try open.map(map).omit() }
        if !resolution.seconds.isEmpty {
            try open.setReadOnlyData(PairOfPrograms.setting, to: UInt32(1))
        } else if let marks = open.maps.first(where: { $0.name == PairOfPrograms.marks }) {
            try marks.omit()
        }
        try configure(open, resolution)
        let sections = Dictionary(
            open.programs.map { ($0.name, $0.attachPoint) }, uniquingKeysWith: { first, _ in first })
        let object = try open.load()
        var links = LinkSet()
        let order = resolution.attachment(sections: sections)
        for program in order.links { links.insert(try object.program(program).attach()) }
        // a kernel that refuses them does so now
        for program in order.onDemand { _ = try object.program(program).attach() }
        for program in order.iterators { try object.program(program).runIterator() }
        self.links = links
        self.object = object
        self.resolution = resolution
    }
}
