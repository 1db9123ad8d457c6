// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import TraceRecords

extension CacheTop {
    enum Names: String, Ladder {
        case tracepoint
        static let id = "names"
        static let sees = "names that processes take by exec"
        static let without: String? = "a process that executes a program may bear its old name until the next interval"

        var rung: Rung { Rung(.tracepoint, on: .all, programs: ["process_name_btf"]) }
    }

    static var modes: [ToolMode] { [mode(config: cachetop_config(cgroup1: 0, paths: 1))] }

    static func mode(config: cachetop_config, filter: filter_config = filter_config()) -> ToolMode {
        ToolMode(
            of: "cachetop",
            ladders: [
                PageCache.State.self, PageCache.Reads.self, PageCache.Insertions.self, PageCache.FileFaults.self,
                Names.self,
            ]
        ) { (object, _) throws(BPFError) in
            try object.setReadOnlyData(".rodata.filter", to: filter)
            try object.setReadOnlyData(".rodata.config", to: config)
        }
    }
}
