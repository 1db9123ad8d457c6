// SPDX-License-Identifier: Apache-2.0
import LibBPF
import Probes
import Testing

/// A kernel that has what it is told to have.
final class FakeKernel: KernelOracle {
    var hooks: Set<AttachPoint> = []
    var holds: Set<Requirement> = []

    func support(for hook: AttachPoint) -> Support {
        hooks.contains(hook) ? .supported : .unsupported("not here")
    }
    func support(for requirement: Requirement) -> Support {
        holds.contains(requirement) ? .supported : .unsupported("does not hold")
    }
}

@Suite struct ResolverChoices {
    let probes = ProbeSet(
        tool: "x",
        ladders: [
            Ladder(
                "main", "it",
                rungs: [
                    Rung("tracepoint", programs: ["t"], requires: [.feature("f")], kernels: "new"),
                    Rung("fentry", programs: ["f1", "f2"], maps: ["m"], kernels: "some"),
                    Rung("kprobe", programs: ["k"], kernels: "old"),
                ]),
            Ladder("extra", "more", rungs: [Rung("fentry", programs: ["e"], kernels: "some")], without: "less"),
        ])
    let sections: [String: AttachPoint] = [
        "t": .btfTracepoint("t"), "f1": .fentry("f1"), "f2": .fexit("f2"), "k": .kprobe("k"),
        "e": .fentry("e"),
    ]

    @Test("the first rung whose hooks and requirements hold is chosen")
    func order() {
        let kernel = FakeKernel()
        kernel.hooks = [.btfTracepoint("t"), .fentry("f1"), .fexit("f2"), .kprobe("k")]
        let resolver = Resolver(oracle: kernel)
        #expect(resolver.resolve(probes, sections: sections).rung(of: "main") == "fentry")
        kernel.holds = [.feature("f")]
        #expect(resolver.resolve(probes, sections: sections).rung(of: "main") == "tracepoint")
        kernel.hooks = [.fentry("f1"), .kprobe("k")]
        let last = resolver.resolve(probes, sections: sections)
        #expect(last.rung(of: "main") == "kprobe")
        #expect(last.programs == ["k"])
        #expect(
            last.choices.first?.passedOver == [
                PassedOver(rung: "tracepoint", reason: "tp_btf/t: not here"),
                PassedOver(rung: "fentry", reason: "fexit/f2: not here"),
            ])
    }

    @Test("a ladder that can be done without leaves the tool working")
    func optional() {
        let kernel = FakeKernel()
        kernel.hooks = [.kprobe("k")]
        let resolution = Resolver(oracle: kernel).resolve(probes, sections: sections)
        #expect(resolution.missing.isEmpty)
        #expect(resolution.rung(of: "extra") == nil)
        kernel.hooks = [.fentry("e")]
        #expect(Resolver(oracle: kernel).resolve(probes, sections: sections).missing.map(\.ladder.name) == ["main"])
    }

    @Test("a rung that is asked for is the only one tried")
    func forced() throws {
        let kernel = FakeKernel()
        kernel.hooks = [.fentry("f1"), .fexit("f2"), .kprobe("k"), .fentry("e")]
        for text in ["x=kprobe", "x.main=kprobe", "y=fentry,x.main=kprobe"] {
            let resolver = Resolver(oracle: kernel, forced: try #require(ForcedRungs(text)))
            let resolution = resolver.resolve(probes, sections: sections)
            #expect(resolution.rung(of: "main") == "kprobe")
            #expect(resolution.rung(of: "extra") == "fentry")
        }
        let none = Resolver(oracle: kernel, forced: try #require(ForcedRungs("x=tracepoint")))
        #expect(none.resolve(probes, sections: sections).rung(of: "main") == nil)
        for text in ["x", "=", "x=", "=y", "a=b=c"] { #expect(ForcedRungs(text) == nil, "\(text)") }
    }

    @Test("a kernel where everything is refused: every ladder says why")
    func bare() {
        let resolution = Resolver(oracle: BareKernel(reason: "no")).resolve(probes, sections: sections)
        #expect(resolution.missing.count == 1)
        #expect(resolution.choices.allSatisfy { $0.rung == nil && !$0.passedOver.isEmpty })
        #expect(resolution.choices[0].passedOver.map(\.reason) == ["no", "fentry/f1: no", "kprobe/k: no"])
    }

    @Test("a program the object lacks is said, not assumed")
    func missing() {
        let kernel = FakeKernel()
        kernel.hooks = [.kprobe("k")]
        let resolution = Resolver(oracle: kernel).resolve(probes, sections: [:])
        #expect(resolution.choices[0].passedOver.last?.reason == "the object has no program k")
    }
}
