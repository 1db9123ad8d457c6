// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports
internal import SystemLayer
internal import TraceRecords

extension MemInfo {
    /// Page allocations by stack: memleak's programs, those of pages alone.
    ///
    /// - Parameter room: for pages outstanding, all of it taken at the start.
    static func huntMode(room: Int) -> ToolMode {
        ToolMode(
            "unaccounted", of: "meminfo", object: "kernelleak", ladders: [KernelLeakProbes.Pages.self],
            uses: [.kernelNames]
        ) { (object, _) throws(BPFError) in
            var config = kernelleak_config()
            config.max_size = .max
            config.own_pid = UInt32(getpid())
            config.cpus = UInt32(possibleCPUs)
            try object.setReadOnlyData(".rodata.config", to: config)
            try object.map("blocks").setMaxEntries(room)
            try object.map("totals").setMaxEntries(1)
            try object.map("events").setMaxEntries(4096)
        }
    }
}

/// Pages that are taken and not freed while a run lasts.
final class PageHunt {
    private let session: HuntedPages
    private let names = KernelStackNames(lacking: "the slab allocator's own pages are counted")
    private var reader: KernelLeakReader
    private let lossMap: PerCPUMap<UInt32, UInt64>

    /// Attaches: what is taken from now on is seen.
    ///
    /// - Throws: `Failure` where a right is missing; `ProbeError` where the kernel can't.
    init() throws {
        try Capabilities.own.require(for: "meminfo --unaccounted")
        let session = try HuntedPages()
        reader = try KernelLeakReader(session.probes.object)
        lossMap = try session.probes.object.perCPUMap("losses")
        self.session = session
    }

    /// Each ladder, and which of its rungs is used.
    var rungs: [(String, String?)] { session.probes.resolution.rungNames }

    /// By stack.
    func taken() throws(BPFError) -> [PageStack] {
        var table = OutstandingTable(youngest: .max)
        try reader.addBlocks(to: &table)
        names.refresh()
        var stacks: [PageStack] = []
        for (site, sum) in table.sites {
            let frames = try reader.stack(site.stack).map { names.frames($0.frames) } ?? []
            stacks.append(
                PageStack(bytes: sum.bytes, count: sum.count, functions: frames.compactMap(\.symbol)))
        }
        let (counters, _) = try reader.readCounters()
        try reader.makeRoom(counters)
        return stacks
    }

    func losses() throws(BPFError) -> Losses {
        var counts: [UInt64] = []
        for cause in 0..<UInt32(Losses.kernelCauses) { counts.append(try lossMap.sum(for: cause)) }
        return Losses(counts: counts)
    }
}

/// Its programs.
private final class HuntedPages {
    let probes: AttachedProbes

    init() throws {
        let mode = MemInfo.huntMode(room: KernelLeakPlan.room)
        let probes = try AttachedProbes.attach(
            mode.probes, image: objectImage(mode.probes.object), oracle: try Environment.kernel(btf: nil),
            forced: try Environment.forcedRungs(), configure: mode.prepare)
        self.probes = probes
    }
}
