// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import TraceRecords

extension NewTool {
    static var modes: [ToolMode] { [mode()] }

    static func mode(filter: filter_config = filter_config()) -> ToolMode {
        ToolMode(of: "newtool", ladders: [Tasks.self]) { (object, _) throws(BPFError) in
            try object.setReadOnlyData(".rodata.filter", to: filter)
        }
    }

    enum Tasks: String, Ladder {
        case tracepoint, raw, record
        static let id = "tasks"
        static let sees = "tasks that are started"

        var rung: Rung {
            switch self {
            case .tracepoint: Rung(.tracepoint, on: .all, programs: ["task_start_btf"])
            case .raw: Rung(.tracepoint, on: .all, programs: ["task_start_rawtp"])
            case .record:
                Rung(
                    .tracepoint, on: .all, programs: ["task_start_tp"],
                    cannotSee: "which of the tasks are threads")
            }
        }

        /// Are threads told from processes?
        var seesThreads: Bool {
            switch self {
            case .tracepoint, .raw: true
            case .record: false
            }
        }
    }
}
