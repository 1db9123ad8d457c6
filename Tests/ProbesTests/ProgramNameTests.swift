// SPDX-License-Identifier: Apache-2.0
import LibBPF
import Testing

/// Every program is named `<event>_<mechanism>`; CONTRIBUTING.md lists the mechanisms.
@Suite struct ProgramNames {
    /// The mechanisms that a name may end in, by the hook that the program's ELF section names.
    static func mechanisms(of hook: AttachPoint) -> [String] {
        switch hook {
        case .btfTracepoint: ["btf"]
        case .rawTracepoint: ["rawtp"]
        case .tracepoint: ["tp"]
        case .fentry: ["fentry"]
        case .fexit: ["fexit"]
        case .kprobe: ["kprobe"]
        case .kretprobe: ["kretprobe"]
        case .iterator: ["iter"]
        case .perfEvent: ["perf"]
        // one section for a single probe and for links of many, which user space makes of it
        case .userFunction("uprobe"): ["uprobe", "multi", "session"]
        case .userFunction("uretprobe"): ["uretprobe", "multi"]
        case .userFunction, .other: []
        }
    }

    @Test("each program's name ends in the mechanism of its section", arguments: ObjectContract.names)
    func endsInMechanism(name: String) throws {
        let object = try OpenObject(image: ObjectContract.image(name).bytes, name: name)
        for program in object.programs {
            let parts = program.name.split(separator: "_", omittingEmptySubsequences: false)
            let mechanism = String(try #require(parts.last))
            #expect(parts.count >= 2 && parts.allSatisfy { !$0.isEmpty }, "\(name).\(program.name)")
            #expect(
                Self.mechanisms(of: program.attachPoint).contains(mechanism),
                "\(name).\(program.name) is of section \(program.attachPoint)")
        }
    }
}
