// SPDX-License-Identifier: Apache-2.0
import CBPFObjects
import LibBPF
import Probes
import Testing

@testable import swiftmem

/// Rungs whose programs read what others note: the order of attaching, and what is taken beside what.
@Suite struct RungReliances {
    @Test("what becomes of pages read ahead attaches behind what a fault maps, which it reads")
    func readaheadBehindMapped() throws {
        let probes = CacheStat.mode(readahead: true).probes
        let object = try OpenObject(image: objectImage(probes.object).bytes, name: probes.object)
        let hooks = Dictionary(uniqueKeysWithValues: object.programs.map { ($0.name, $0.attachPoint) })
        let resolution = Resolver(oracle: WholeKernel()).resolve(probes, sections: hooks)
        #expect(resolution[PageCache.Faults.self] == .tracepoint && resolution[PageCache.Readahead.self] == .tracepoint)
        let links = resolution.attachment(sections: hooks).links
        let mapped = try #require(links.firstIndex(of: "file_rss_btf"))
        for program in ["ahead_map_window_btf", "ahead_rss_btf"] {
            #expect(mapped < (try #require(links.firstIndex(of: program))))
        }
        #expect(hooks["file_rss_btf"] == hooks["ahead_rss_btf"])
    }

    @Test("what a rung's programs read of another ladder's is noted by rungs that are there, and attach before it")
    func reliances() {
        var count = 0
        for probes in RegistryContract.modes.map(\.probes) {
            for (place, ladder) in probes.ladders.enumerated() {
                for (rung, reliance) in ladder.rungs.flatMap({ rung in rung.reliesOn.map { (rung, $0) } }) {
                    let name = "\(probes.tool).\(ladder.id)/\(rung.id)"
                    let before = probes.ladders.prefix(place).first { $0.id == reliance.ladder }
                    let ids = before?.rungs.map(\.id) ?? []
                    #expect(before != nil, "\(name) relies on \(reliance.ladder), which does not stand before it")
                    #expect(!reliance.rungs.isEmpty && Set(reliance.rungs).isSubset(of: ids), "\(name): \(reliance)")
                    #expect(!reliance.what.isEmpty)
                    // a ladder that relies on another's must be one that the tool can do without
                    #expect(ladder.without != nil, "\(name)")
                    count += 1
                }
            }
        }
        #expect(count >= 14)
    }

    /// A tool's rungs with these hooks refused, or these asked for.
    private func resolution(
        _ mode: ToolMode, _ kernel: any KernelOracle = WholeKernel(), forced: String? = nil
    ) throws -> Resolution {
        let object = try OpenObject(image: objectImage(mode.probes.object).bytes, name: mode.probes.object)
        let hooks = Dictionary(uniqueKeysWithValues: object.programs.map { ($0.name, $0.attachPoint) })
        return Resolver(oracle: kernel, forced: try forced.map { try #require(ForcedRungs($0)) } ?? ForcedRungs())
            .resolve(mode.probes, sections: hooks)
    }

    @Test("pages read ahead are told by tracepoints only where those of reads and faults tell the rest")
    func readaheadReliesOnReadsAndFaults() throws {
        let mode = CacheStat.mode(readahead: true)
        for forced in ["cachestat.faults=fentry", "cachestat.faults=partial", "cachestat.reads=fentry"] {
            #expect(try resolution(mode, forced: forced)[PageCache.Readahead.self]?.rung.mechanism == .fentry)
        }
        #expect(
            try resolution(mode, forced: "cachestat.reads=tracepoint")[PageCache.Readahead.self] == .tracepoint)
        let bare = try resolution(
            mode, WholeKernel(KernelVersion(6, 12), without: [.fexit("filemap_read")]),
            forced: "cachestat.faults=kprobe")
        #expect(bare[PageCache.Readahead.self] == nil && bare.missing.isEmpty)
    }

    @Test("the source of pages from swap is told by what tells the pages")
    func sourcesRelyOnPages() throws {
        let mode = SwapIn.mode(detailed: true)
        #expect(try resolution(mode)[SwapIn.Sources.self] == .tracepoint)
        let byFunction = try resolution(mode, forced: "swapin.pages=fentry")
        #expect(byFunction[SwapIn.Sources.self]?.isFunction == true)
        #expect(try resolution(mode, forced: "swapin.pages=rss_stat")[SwapIn.Sources.self] == nil)
    }

    @Test("a writer's sleep and kswapd's work are seen only where their ends are")
    func endsOfSleeps() throws {
        let mode = MemStall.mode()
        #expect(try resolution(mode)[MemStall.Writers.self] != nil)
        let blind = try resolution(mode, WholeKernel(without: [.btfTracepoint("sched_switch")]))
        #expect(blind[MemStall.Switches.self] == nil && blind[MemStall.Writers.self] == nil)
        #expect(!blind.programs.contains("kswapd_wake_btf") && blind.missing.isEmpty)
    }

    @Test("filemap_read() alone is not taken where files are spliced by a function whose hook is refused")
    func readsWithoutSplices() throws {
        let probes = CacheStat.mode(readahead: true).probes
        let object = try OpenObject(image: objectImage(probes.object).bytes, name: probes.object)
        let hooks = Dictionary(uniqueKeysWithValues: object.programs.map { ($0.name, $0.attachPoint) })
        let refused = ["read_batch_btf", "splice_fexit", "splice_kprobe", "ahead_read_btf", "ahead_splice_fexit"]
        for (version, reads, ahead) in [
            (KernelVersion(6, 4), PageCache.Reads.fentryRead, PageCache.Readahead.fentryRead),
            (KernelVersion(6, 5), .partial, nil), (KernelVersion(6, 9), .partial, nil),
            (KernelVersion(7, 2), .partial, nil),
        ] {
            let kernel = WholeKernel(version, without: Set(refused.compactMap { hooks[$0] }))
            let resolution = Resolver(oracle: kernel).resolve(probes, sections: hooks)
            #expect(resolution[PageCache.Reads.self] == reads, "\(version)")
            #expect(resolution[PageCache.Readahead.self] == ahead, "\(version)")
            #expect(resolution.seesAccesses == (reads != .partial))
        }
        // a distribution's 6.1 with the later function
        let backported = WholeKernel(
            KernelVersion(6, 1), without: Set(refused.compactMap { hooks[$0] }),
            requirements: [.lacksFunction("filemap_splice_read")])
        #expect(Resolver(oracle: backported).resolve(probes, sections: hooks)[PageCache.Reads.self] == .partial)
    }
}
