// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Reports

/// Where the sampler is, and how a service of systemd loads it.
struct SamplerCommand: Guided {
    static let configuration = CommandConfiguration(
        commandName: "sampler",
        abstract: "Where the library is that samples in a process, or the systemd drop-in that loads it.",
        discussion: """
            Loaded into a program (LD_PRELOAD), libswiftmem-sampler.so samples what it allocates: 1 to 2 ns a \
            pair of malloc and free. swiftmem memleak -p then finds it, and what it has sampled since the \
            program's start.
            """)

    @Option(help: ArgumentHelp("Print the drop-in for this service.", valueName: "name"))
    var unit: String?

    @Option(help: ArgumentHelp("Bytes between samples on average (512K, 1M).", valueName: "bytes"))
    var sampleBytes: ByteDistance?

    func run() throws {
        guard let library = SamplerLibrary.path else { throw SamplerLibrary.missing }
        var output = Output()
        if let unit {
            for line in try Self.dropIn(unit: unit, library: library, distance: sampleBytes?.value) {
                output.print(line)
            }
        } else {
            output.print(library)
        }
        _ = try output.flush()
    }

    /// The lines of the drop-in, with where they go.
    ///
    /// - Throws: `Failure` where systemd knows no such names, or would not read such a path.
    static func dropIn(unit: String, library: String, distance: UInt64?) throws(Failure) -> [String] {
        var name = unit
        if name.hasSuffix(".service") { name.removeLast(".service".count) }
        // systemd.unit(5)
        let characters = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || ":-_.\\@".utf8.contains(byte)
        }
        guard !name.isEmpty, name.utf8.count <= 200, characters else {
            throw .badValue("--unit: no service can be called \(Printable.text(unit))")
        }
        // these mean something in LD_PRELOAD, or in a unit's file
        guard !library.utf8.contains(where: { " :\"'%\\$\n".utf8.contains($0) }) else {
            throw .badValue("LD_PRELOAD can't name \(Printable.text(library)): move it where its path is plain")
        }
        let file = "/etc/systemd/system/\(name).service.d/swiftmem-sampler.conf"
        return [
            "# \(file)", "# then: systemctl daemon-reload && systemctl restart \(name)", "[Service]",
            "Environment=LD_PRELOAD=\(library)",
        ] + (distance.map { ["Environment=SWIFTMEM_SAMPLE_BYTES=\($0)"] } ?? [])
    }
}

extension SamplerCommand {
    static let guide = Guide(
        examples: [
            .init("sampler", "the library's path, for LD_PRELOAD"),
            .init("sampler --unit nginx", "the drop-in that loads it into nginx"),
            .init("sampler --unit nginx --sample-bytes 1M", "the same with half as many samples"),
        ],
        overhead: "None: it prints a text.",
        seeAlso: ["ld.so(8)", "systemd.unit(5)"])
}
