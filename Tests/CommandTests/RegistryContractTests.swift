// SPDX-License-Identifier: Apache-2.0
import CBPFObjects
import LibBPF
import Probes
import SystemLayer
import SystemPackage
import Testing

@testable import swiftmem

@Suite struct RegistryContract {
    static var modes: [ToolMode] { tools.flatMap { $0.modes } }

    @Test("every tool has an object whose programs its rungs name, and a page of its own")
    func toolsAgree() throws {
        #expect(!tools.isEmpty)
        for tool in tools {
            let sets = tool.modes.map(\.probes)
            #expect(!sets.isEmpty)
            #expect(sets.allSatisfy { $0.tool == tool.name })
            for name in Set(sets.map(\.object)) {
                let object = try OpenObject(image: objectImage(name).bytes, name: name)
                let programs = Set(object.programs.map(\.name))
                let maps = Set(object.maps.map(\.name))
                var used: Set<String> = []
                // a tool may use some of another's programs
                let all = Self.modes.map(\.probes).filter { $0.object == name }
                for rung in all.flatMap(\.ladders).flatMap(\.rungs) {
                    for program in rung.programs {
                        #expect(programs.contains(program), "\(name): no program \(program)")
                    }
                    for map in rung.maps { #expect(maps.contains(map), "\(name): no map \(map)") }
                    used.formUnion(rung.programs)
                    // which kernels need
                    used.formUnion(rung.programs.compactMap(PairOfPrograms.second))
                }
                #expect(programs.subtracting(used).sorted() == [], "\(name): programs of no rung")
            }
            #expect(readText(FilePath("Docs/tools/\(tool.name).md")) != nil, "\(tool.name) has no page in Docs/tools")
        }
    }

    @Test("the table of capabilities is that of the tools")
    func capabilities() throws {
        func row(_ tool: String, _ use: CapabilityUse) -> String {
            "| \(tool) | \(use.capability.name) | \(use.without) | \(use.isKept ? "yes" : "no") |"
        }
        let uses = Self.modes.flatMap { mode in
            mode.uses.map { row(mode.probes.tool + (mode.name.map { " (\($0))" } ?? ""), $0) }
        }
        let page = try #require(readText("Docs/permissions.md"))
        let rows = page.split(separator: "\n").filter { $0.contains("| CAP_") }.map(String.init)
        #expect(rows == CapabilityUse.tracing.map { row("all", $0) } + uses)
    }

    @Test("tools without stacks of processes keep no right to look at them")
    func keptCapabilities() {
        for mode in Self.modes where !["memleak", "growth"].contains(mode.probes.object) {
            #expect(mode.kept.isDisjoint(with: [.dacReadSearch, .sysPtrace, .sysAdmin, .perfmon]))
        }
    }

    @Test("ids are words that stay, unique in their ladder and their tool; ranges hold a kernel")
    func ids() {
        let word = /[a-z][a-z0-9]*(_[a-z0-9]+)*/
        for tool in tools {
            let ladders = tool.modes.flatMap { $0.probes.ladders }
            #expect(Set(ladders.map(\.id)).count == ladders.count, "\(tool.name): two ladders of one id")
            for ladder in ladders {
                #expect(ladder.id.wholeMatch(of: word) != nil && !ladder.sees.isEmpty && !ladder.rungs.isEmpty)
                #expect(Set(ladder.rungs.map(\.id)).count == ladder.rungs.count, "\(tool.name).\(ladder.id)")
                for rung in ladder.rungs {
                    #expect(rung.id.wholeMatch(of: word) != nil, "\(ladder.id)/\(rung.id)")
                    // a name in SWIFTMEM_RUNG that asks for no rung
                    #expect(rung.id != "none")
                    #expect(!rung.kernels.isEmpty, "\(ladder.id)/\(rung.id): no kernel is in \(rung.kernels)")
                    for bound in [rung.kernels.first, rung.kernels.last] { #expect(bound?.reason.isEmpty != true) }
                }
            }
        }
    }

    @Test("no kernel is left out of what a tool can't do without, and one function rung at most is true on each")
    func ranges() {
        // 5.19 and 6.0, whose slab tracepoints had other arguments, are not supported: Docs/tools/memleak.md
        let versions =
            (10...18).map { KernelVersion(5, $0) } + (1...19).map { KernelVersion(6, $0) }
            + (0...2).map { KernelVersion(7, $0) }
        for mode in Self.modes {
            // growth begins with the counters that are split over the CPUs: Docs/tools/growth.md
            let first = mode.probes.tool == "growth" ? KernelVersion(6, 2) : KernelVersion(5, 10)
            for ladder in mode.probes.ladders { expectRungs(ladder, on: versions.filter { $0 >= first }) }
        }
    }

    private func expectRungs(_ ladder: AnyLadder, on versions: [KernelVersion]) {
        for version in versions {
            let rungs = ladder.rungs.filter { $0.kernels.contains(version) }
            #expect(!rungs.isEmpty || ladder.without != nil, "\(ladder.id): none on \(version)")
            for mechanism in [Mechanism.fentry, .kprobe] {
                let functions = rungs.filter { $0.mechanism == mechanism }
                #expect(functions.count <= 1, "\(ladder.id) on \(version): \(functions.map(\.id))")
                let isThere = ladder.rungs.contains { $0.mechanism == mechanism }
                if ladder.without == nil && isThere {
                    #expect(!functions.isEmpty, "\(ladder.id): no \(mechanism) rung on \(version)")
                }
            }
        }
    }

    @Test("a rung's mechanism is that of its programs")
    func mechanisms() throws {
        for probes in Self.modes.map(\.probes) {
            let object = try OpenObject(image: objectImage(probes.object).bytes, name: probes.object)
            let hooks = Dictionary(uniqueKeysWithValues: object.programs.map { ($0.name, $0.attachPoint) })
            for ladder in probes.ladders {
                for rung in ladder.rungs {
                    var mechanisms = Set(rung.programs.compactMap { hooks[$0].flatMap(Mechanism.init(hook:)) })
                    // what there is at the start any rung may have to be told
                    if rung.mechanism != .iterator { mechanisms.remove(.iterator) }
                    let isRight =
                        switch rung.mechanism {
                        // what functions tell may need a tracepoint beside it
                        case .fentry:
                            mechanisms.isSuperset(of: [.fentry]) && mechanisms.isSubset(of: [.fentry, .tracepoint])
                        case .kprobe:
                            mechanisms.isSuperset(of: [.kprobe]) && mechanisms.isSubset(of: [.kprobe, .tracepoint])
                        case .tracepoint, .map: mechanisms.isSubset(of: [.tracepoint])
                        case .uprobe: mechanisms == [.uprobe]
                        case .iterator: mechanisms == [.iterator]
                        case .stack, .indirect: rung.programs.isEmpty
                        }
                    #expect(isRight, "\(probes.tool).\(ladder.id)/\(rung.id): \(mechanisms)")
                }
            }
        }
    }

    @Test("a backup attaches behind the program whose skipped runs it sees, on the same hook")
    func backups() throws {
        var count = 0
        for probes in Self.modes.map(\.probes) {
            let object = try OpenObject(image: objectImage(probes.object).bytes, name: probes.object)
            let hooks = Dictionary(uniqueKeysWithValues: object.programs.map { ($0.name, $0.attachPoint) })
            for rung in probes.ladders.flatMap(\.rungs) {
                for (first, second) in rung.backups {
                    guard let place = rung.programs.firstIndex(of: first) else { continue }
                    let behind = try #require(rung.programs.firstIndex(of: second))
                    #expect(place < behind && hooks[first] == hooks[second])
                    count += 1
                }
            }
        }
        #expect(count >= 8)
    }

    @Test("each embedded object is a tool's")
    func objects() {
        let objects = Set(Self.modes.map(\.probes.object))
        var index = 0
        while let image = bpf_object_image_at(index) {
            let name = String(cString: image.pointee.name)
            #expect(objects.contains(name), "object \(name) has no tool")
            index += 1
        }
        #expect(index == objects.count)
    }

    @Test("on a kernel without anything each tool says what it can't see, and why")
    func bareKernel() throws {
        for mode in tools.filter({ !$0.worksWithoutHooks }).flatMap({ $0.modes }) {
            let probes = mode.probes
            do throws(ProbeError) {
                _ = try AttachedProbes.attach(
                    probes, image: objectImage(probes.object), oracle: BareKernel(reason: "refused"),
                    configure: mode.prepare)
                Issue.record("\(probes.tool) attached")
            } catch {
                let failure = Failure(error)
                #expect(failure.status == 69)
                #expect(failure.message.hasPrefix("\(probes.tool) can't see "))
                #expect(failure.message.hasSuffix(" on this kernel"))
                #expect(failure.remedy?.contains("swiftmem doctor") == true)
                #expect(!failure.details.isEmpty)
                #expect(failure.details.allSatisfy { $0.contains("refused") })
            }
        }
    }
}
