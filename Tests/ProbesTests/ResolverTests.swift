// SPDX-License-Identifier: Apache-2.0
import LibBPF
import Probes
import Testing

private enum Main: String, Ladder {
    case tracepoint
    case fentryTwo = "fentry_two"
    case fentryOne = "fentry_one"
    case kprobe
    static let id = "main"
    static let sees = "it"

    var rung: Rung {
        switch self {
        case .tracepoint: Rung(.tracepoint, on: .all, programs: ["t"], requires: [.feature(.taskStorage)])
        case .fentryTwo:
            Rung(
                .fentry, on: .from(6, 5, "f2 came", orBackported: true), programs: ["f1", "f2"], maps: ["m"])
        case .fentryOne:
            Rung(.fentry, on: .from(5, 12, "f1 came").through(6, 4, "then f2 does a part"), programs: ["f1"])
        case .kprobe: Rung(.kprobe, on: .all, programs: ["k"])
        }
    }
}

private enum Extra: String, Ladder {
    case fentry
    static let id = "extra"
    static let sees = "more"
    static let without: String? = "less"

    var rung: Rung { Rung(.fentry, on: .all, programs: ["e"]) }
}

private enum Other: String, Ladder {
    case fentry
    static let id = "other"
    static let sees = "something else"

    var rung: Rung { Rung(.fentry, on: .all, programs: ["e"]) }
}

/// Its best rung reads what two of Main's note.
private enum Reader: String, Ladder {
    case fentry, kprobe
    static let id = "reader"
    static let sees = "what becomes of it"
    static let without: String? = "the end"

    var rung: Rung {
        switch self {
        case .fentry:
            Rung(
                .fentry, on: .all, programs: ["e"],
                reliesOn: [Reliance(on: Main.fentryTwo, .fentryOne, what: "where it begins")])
        case .kprobe:
            Rung(.kprobe, on: .all, programs: ["k"], reliesOn: [Reliance(on: Extra.fentry, what: "how much")])
        }
    }
}

private let probes = ProbeSet(tool: "x", ladders: [Main.self, Extra.self])
private let sections: [String: AttachPoint] = [
    "t": .btfTracepoint("t"), "f1": .fentry("f1"), "f2": .fexit("f2"), "k": .kprobe("k"),
    "e": .fentry("e"),
]

private func resolve(_ kernel: any KernelOracle, _ forced: ForcedRungs = ForcedRungs()) -> Resolution {
    Resolver(oracle: kernel, forced: forced).resolve(probes, sections: sections)
}

@Suite struct ResolverChoices {
    @Test("the first rung whose hooks and requirements hold is chosen")
    func order() {
        let kernel = FakeKernel(hooks: [.btfTracepoint("t"), .fentry("f1"), .fexit("f2"), .kprobe("k")])
        #expect(resolve(kernel)[Main.self] == .fentryTwo)
        kernel.holds = [.feature(.taskStorage)]
        #expect(resolve(kernel)[Main.self] == .tracepoint)
        kernel.hooks = [.kprobe("k")]
        let last = resolve(kernel)
        #expect(last[Main.self] == .kprobe)
        #expect(last.programs == ["k"])
        #expect(
            last.choices.first?.passedOver == [
                PassedOver(rung: "tracepoint", reason: "tp_btf/t: not here"),
                PassedOver(rung: "fentry_two", reason: "fentry/f1: not here"),
                PassedOver(rung: "fentry_one", reason: "fentry/f1: not here"),
            ])
    }

    @Test("a ladder that can be done without leaves the tool working")
    func optional() {
        let kernel = FakeKernel(hooks: [.kprobe("k")])
        let resolution = resolve(kernel)
        #expect(resolution.missing.isEmpty)
        #expect(resolution[Extra.self] == nil)
        #expect(resolution.has(Extra.self))
        #expect(!resolution.has(Other.self))
        kernel.hooks = [.fentry("e")]
        #expect(resolve(kernel).missing.map(\.ladder.id) == ["main"])
        #expect(resolve(kernel)[Extra.self] == .fentry)
    }

    @Test("a kernel where everything is refused: every ladder says why")
    func bare() {
        let resolution = resolve(BareKernel(reason: "no"))
        #expect(resolution.missing.count == 1)
        #expect(resolution.choices.allSatisfy { $0.rung == nil && !$0.passedOver.isEmpty })
        #expect(
            resolution.choices[0].passedOver.map(\.reason) == ["no", "fentry/f1: no", "fentry/f1: no", "kprobe/k: no"])
    }

    @Test("a program the object lacks is said, not assumed")
    func missing() {
        let kernel = FakeKernel(hooks: [.kprobe("k")])
        let resolution = Resolver(oracle: kernel).resolve(probes, sections: [:])
        #expect(resolution.choices[0].passedOver.last?.reason == "the object has no program k")
    }

    @Test("a rung that reads what another ladder notes is used beside those rungs alone")
    func reliances() throws {
        let kernel = FakeKernel(hooks: [.fentry("f1"), .fexit("f2"), .kprobe("k"), .fentry("e")])
        func resolve(_ ladders: [any Ladder.Type], _ forced: String? = nil) throws -> Resolution {
            Resolver(oracle: kernel, forced: try forced.map { try #require(ForcedRungs($0)) } ?? ForcedRungs())
                .resolve(ProbeSet(tool: "x", ladders: ladders), sections: sections)
        }
        let all: [any Ladder.Type] = [Main.self, Extra.self, Reader.self]
        #expect(try resolve(all)[Reader.self] == .fentry)
        #expect(try resolve(all, "x.main=fentry_one")[Reader.self] == .fentry)
        let other = try resolve(all, "x.main=kprobe")
        #expect(other[Reader.self] == .kprobe)
        #expect(
            other.choices[2].passedOver == [
                PassedOver(
                    rung: "fentry", reason: "where it begins is told by main/fentry_two or fentry_one, not by kprobe")
            ])
        let none = try resolve(all, "x.main=kprobe,x.extra=none")
        #expect(none[Reader.self] == nil)
        #expect(
            none.choices[2].passedOver.last
                == PassedOver(rung: "kprobe", reason: "how much is told by extra/fentry, which is not used"))
        // asked for, it is still not used without what it reads
        #expect(try resolve(all, "x.main=kprobe,x.reader=fentry")[Reader.self] == nil)
        // nor where the ladder is not there, or comes behind
        #expect(try resolve([Main.self, Reader.self], "x.main=kprobe")[Reader.self] == nil)
        #expect(try resolve([Reader.self, Main.self, Extra.self])[Reader.self] == nil)

        // the kernel refuses what it relies on
        var resolver = Resolver(oracle: kernel)
        let set = ProbeSet(tool: "x", ladders: all)
        let main = resolver.resolve(set, sections: sections).choices[0]
        resolver.refuse(try #require(main.rung), of: main.ladder, because: "no")
        kernel.hooks.remove(.fentry("f1"))
        #expect(resolver.resolve(set, sections: sections)[Reader.self] == .kprobe)
    }

    @Test("a refusal takes one rung out, not another of its mechanism, nor one of its id in another ladder")
    func refusals() throws {
        let kernel = FakeKernel(
            KernelVersion(6, 4), hooks: [.fentry("f1"), .fexit("f2"), .kprobe("k"), .fentry("e")])
        var resolver = Resolver(oracle: kernel)
        let both = ProbeSet(tool: "x", ladders: [Main.self, Extra.self, Other.self])
        let first = resolver.resolve(both, sections: sections)
        #expect(first[Main.self] == .fentryTwo)
        let main = first.choices[0], extra = first.choices[1]
        resolver.refuse(try #require(main.rung), of: main.ladder, because: "the verifier's no")
        resolver.refuse(try #require(extra.rung), of: extra.ladder, because: "busy")
        let second = resolver.resolve(both, sections: sections)
        #expect(second[Main.self] == .fentryOne)
        #expect(second.choices[0].passedOver.last == PassedOver(rung: "fentry_two", reason: "the verifier's no"))
        #expect(second[Extra.self] == nil)
        #expect(second[Other.self] == .fentry)
    }
}

@Suite struct RungRanges {
    private let kernel = FakeKernel(hooks: [.fentry("f1"), .fexit("f2"), .kprobe("k")])

    @Test("a rung is not taken beyond its range, where only the better one is refused")
    func upper() {
        kernel.hooks = [.fentry("f1"), .kprobe("k")]
        kernel.version = KernelVersion(6, 4)
        #expect(resolve(kernel)[Main.self] == .fentryOne)
        for version in [KernelVersion(6, 5), KernelVersion(6, 9), KernelVersion(7, 2)] {
            kernel.version = version
            let resolution = resolve(kernel)
            #expect(resolution[Main.self] == .kprobe)
            #expect(
                resolution.choices[0].passedOver.last
                    == PassedOver(
                        rung: "fentry_one", reason: "true up to Linux 6.4 (then f2 does a part), this is \(version)"))
        }
        kernel.hooks = [.fentry("f1")]
        #expect(resolve(kernel)[Main.self] == nil)
    }

    @Test("nor before it")
    func lower() {
        kernel.hooks = [.fentry("f1"), .kprobe("k")]
        kernel.version = KernelVersion(5, 12)
        #expect(resolve(kernel)[Main.self] == .fentryOne)
        kernel.version = KernelVersion(5, 11)
        let resolution = resolve(kernel)
        #expect(resolution[Main.self] == .kprobe)
        #expect(
            resolution.choices[0].passedOver.last?.reason == "true from Linux 5.12 on (f1 came), this is 5.11")
    }

    @Test("what distributions backport is the hook's to decide")
    func backported() {
        kernel.version = KernelVersion(5, 10)
        #expect(resolve(kernel)[Main.self] == .fentryTwo)
    }

    @Test("a range holds where a rung is asked for by its id too")
    func forced() throws {
        kernel.version = KernelVersion(6, 9)
        let forced = try #require(ForcedRungs("x.main=fentry_one"))
        let choice = resolve(kernel, forced).choices[0]
        #expect(choice.rung == nil)
        #expect(choice.passedOver.first { $0.rung == "fentry_one" }?.reason.hasPrefix("true up to Linux 6.4") == true)
    }

    @Test("a version that is not known is held against nothing")
    func unknown() {
        kernel.version = nil
        kernel.hooks = [.fentry("f1")]
        #expect(resolve(kernel)[Main.self] == .fentryOne)
    }

    @Test("ranges in words, and what they hold")
    func words() {
        let from = KernelRange.from(6, 12, "a"), through = KernelRange.through(6, 4, "b")
        #expect(KernelRange.all.description == "all")
        #expect(from.description == "6.12 and newer")
        #expect(KernelRange.from(6, 12, "a", orBackported: true).description == "6.12 and newer, or backported")
        #expect(through.description == "until 6.4")
        #expect(KernelRange.from(5, 12, "a").through(6, 4, "b").description == "5.12 to 6.4")
        #expect(KernelRange.from(5, 12, "a").through(5, 12, "b").description == "5.12")
        #expect(from.contains(KernelVersion(7, 0)) && !from.contains(KernelVersion(6, 2)))
        #expect(through.contains(KernelVersion(5, 19)) && !through.contains(KernelVersion(6, 5)))
        #expect(KernelRange.from(6, 5, "a").through(6, 4, "b").isEmpty)
        #expect(!KernelRange.from(6, 4, "a").through(6, 4, "b").isEmpty)
        #expect(!KernelRange.all.isEmpty)
    }
}

@Suite struct Forcing {
    private let kernel = FakeKernel(
        KernelVersion(6, 9), hooks: [.fentry("f1"), .fexit("f2"), .kprobe("k"), .fentry("e")])

    @Test("a rung that is asked for is the only one tried, by its id or its mechanism")
    func forced() throws {
        for text in ["x=kprobe", "x.main=kprobe", "y=fentry,x.main=kprobe", "x=fentry,x.main=kprobe"] {
            let resolution = resolve(kernel, try #require(ForcedRungs(text)))
            #expect(resolution[Main.self] == .kprobe)
            #expect(resolution[Extra.self] == .fentry)
        }
        #expect(resolve(kernel, try #require(ForcedRungs("x=tracepoint")))[Main.self] == nil)
        for text in ["x", "=", "x=", "=y", "a=b=c"] { #expect(ForcedRungs(text) == nil, "\(text)") }
    }

    @Test("a mechanism's rungs, or those of a beginning, are tried in their order")
    func families() throws {
        for text in ["x=fentry", "x.main=fentry"] {
            let forced = try #require(ForcedRungs(text))
            kernel.version = KernelVersion(6, 4)
            kernel.hooks = [.fentry("f1"), .fexit("f2"), .kprobe("k")]
            #expect(resolve(kernel, forced)[Main.self] == .fentryTwo)
            kernel.hooks = [.fentry("f1"), .kprobe("k")]
            #expect(resolve(kernel, forced)[Main.self] == .fentryOne)
            kernel.hooks = [.kprobe("k")]
            #expect(resolve(kernel, forced)[Main.self] == nil)
        }
        kernel.hooks = [.fentry("f1"), .fexit("f2")]
        #expect(resolve(kernel, try #require(ForcedRungs("x.main=fentry_one")))[Main.self] == .fentryOne)
    }

    @Test("none asks for no rung")
    func none() throws {
        let resolution = resolve(kernel, try #require(ForcedRungs("x.extra=none")))
        #expect(resolution[Extra.self] == nil && resolution[Main.self] == .fentryTwo)
        #expect(resolution.choices[1].passedOver == [PassedOver(rung: "fentry", reason: "none is asked for")])
    }

    @Test(
        "names that are none are said, with those there are",
        arguments: [
            ("x=kprobe", nil), ("x.main=fentry", nil), ("x.main=fentry_one,x.extra=none", nil),
            ("z=kprobe", "there is no tool z; there are x"),
            ("x.mian=kprobe", "x has no ladder mian; it has main, extra"),
            ("x.main=kprob", "x.main has no rung kprob; it has tracepoint, fentry_two, fentry_one, kprobe"),
            ("x=kprob", "x has no rung kprob; it has fentry, fentry_one, fentry_two, kprobe, tracepoint"),
            ("x=none", "x has no rung none; it has fentry, fentry_one, fentry_two, kprobe, tracepoint"),
        ])
    func mistakes(text: String, mistake: String?) throws {
        #expect(try #require(ForcedRungs(text)).mistake(in: [probes]) == mistake)
    }
}

@Suite struct AttachOrders {
    private enum First: String, Ladder {
        case only
        static let id = "first"
        static let sees = "first"
        var rung: Rung { Rung(.tracepoint, on: .all, programs: ["b", "dump", "a"], backups: ["b": "a"]) }
    }

    private enum Second: String, Ladder {
        case only
        static let id = "second"
        static let sees = "second"
        var rung: Rung { Rung(.tracepoint, on: .all, programs: ["c", "a", "user"]) }
    }

    @Test("programs attach ladder by ladder as rungs list them, each once; iterators run behind all")
    func order() {
        let sections: [String: AttachPoint] = [
            "a": .btfTracepoint("t"), "b": .btfTracepoint("t"), "c": .btfTracepoint("t"), "dump": .iterator("task"),
            "user": .userFunction(section: "uprobe"),
        ]
        let kernel = FakeKernel(hooks: Set(sections.values))
        for (ladders, links) in [
            ([First.self, Second.self] as [any Ladder.Type], ["b", "a", "c"]),
            ([Second.self, First.self], ["c", "a", "b"]),
        ] {
            let resolution = Resolver(oracle: kernel)
                .resolve(ProbeSet(tool: "x", ladders: ladders), sections: sections)
            let order = resolution.attachment(sections: sections)
            #expect(order.links == links)
            #expect(order.iterators == ["dump"])
            #expect(resolution.backups == ["b": "a"])
        }
    }

    private enum Pairs: String, Ladder {
        case only
        static let id = "pairs"
        static let sees = "pairs"
        var rung: Rung {
            Rung(
                .tracepoint, on: .all, programs: ["end_btf", "begin_btf", "free_rawtp", "free_second_rawtp"],
                backups: ["free_rawtp": "free_second_rawtp"])
        }
    }

    @Test("the second of a pair attaches behind the first, where the kernel skips what a preempted task is in")
    func pairs() {
        let sections: [String: AttachPoint] = [
            "begin_btf": .btfTracepoint("t"), "begin_second_btf": .btfTracepoint("t"), "end_btf": .btfTracepoint("e"),
            "free_rawtp": .rawTracepoint("f"), "free_second_rawtp": .rawTracepoint("f"),
        ]
        let kernel = FakeKernel(hooks: Set(sections.values))
        let resolver = Resolver(oracle: kernel), set = ProbeSet(tool: "x", ladders: [Pairs.self])
        let alone = resolver.resolve(set, sections: sections)
        #expect(alone.programs == ["end_btf", "begin_btf", "free_rawtp", "free_second_rawtp"])
        #expect(alone.seconds.isEmpty && alone.backups == ["free_rawtp": "free_second_rawtp"])
        kernel.holds = [.feature(.preemptibleTracepoints)]
        let both = resolver.resolve(set, sections: sections)
        #expect(both.programs == ["end_btf", "begin_btf", "begin_second_btf", "free_rawtp", "free_second_rawtp"])
        #expect(both.seconds == ["begin_btf": "begin_second_btf"])
        #expect(both.backups == ["begin_btf": "begin_second_btf", "free_rawtp": "free_second_rawtp"])
        #expect(both.attachment(sections: sections).links == both.programs)
    }

    @Test(
        "the name of a pair's second",
        arguments: [
            ("map_window_btf", "map_window_second_btf"), ("a_rawtp", "a_second_rawtp"), ("map_window_second_btf", nil),
            ("word", nil),
        ])
    func secondName(first: String, second: String?) {
        #expect(PairOfPrograms.second(of: first) == second)
    }
}
