// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import TraceRecords

extension ShmSnoop {
    static var modes: [ToolMode] { [mode(all: true, latency: true)] }

    /// - Parameters:
    ///   - all: more calls than System V's.
    ///   - latency: how long they take, so that all of them are seen to begin too.
    static func mode(all: Bool, latency: Bool, filter: filter_config = filter_config()) -> ToolMode {
        ToolMode(of: "shmsnoop", ladders: latency ? [TimedCalls.self] : [Calls.self]) {
            (object, _) throws(BPFError) in
            var config = shmsnoop_config()
            config.latency = latency ? 1 : 0
            config.all = all ? 1 : 0
            try object.setReadOnlyData(".rodata.config", to: config)
            try object.setReadOnlyData(".rodata.filter", to: filter)
        }
    }

    enum Calls: String, Ladder {
        case record, tracepoint, syscalls
        static let id = "calls"
        static let sees = "shared-memory system calls"

        var rung: Rung { rung(timed: false) }

        /// - Parameter timed: with the programs that see calls begin.
        fileprivate func rung(timed: Bool) -> Rung {
            switch self {
            case .record:
                Rung(
                    .tracepoint,
                    on: .from(7, 0, "programs on typed tracepoints are skipped while a preempted task is in them"),
                    programs: (timed ? ["call_enter_tp"] : []) + ["call_exit_tp"],
                    requires: [.feature(.ringBuffer), .feature(.preemptibleTracepoints)], cannotSee: Self.inherited)
            case .tracepoint:
                Rung(
                    .tracepoint, on: .all, programs: (timed ? ["call_enter_btf"] : []) + ["call_exit_btf"],
                    requires: [.feature(.ringBuffer)], cannotSee: Self.inherited)
            case .syscalls:
                // kernels with CONFIG_FTRACE_SYSCALLS; a call's arguments are seen at its begin alone
                Rung(
                    .tracepoint, on: .all,
                    programs: ["shmget", "shmat", "shmdt", "shmctl"].flatMap { ["\($0)_enter_tp", "\($0)_exit_tp"] },
                    requires: [.feature(.ringBuffer)], cannotSee: "calls by 32-bit callers, and all but System V's")
            }
        }

        private static let inherited = "munmap of mappings older than the trace or inherited by fork"
    }

    /// The same rungs, which see calls begin too.
    enum TimedCalls: String, Ladder {
        case record, tracepoint, syscalls
        static let id = Calls.id
        static let sees = Calls.sees

        var rung: Rung {
            switch self {
            case .record: Calls.record.rung(timed: true)
            case .tracepoint: Calls.tracepoint.rung(timed: true)
            case .syscalls: Calls.syscalls.rung(timed: true)
            }
        }
    }
}
