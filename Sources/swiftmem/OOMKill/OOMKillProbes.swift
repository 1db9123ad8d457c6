// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports
internal import TraceRecords

extension OOMKill {
    static var modes: [ToolMode] { [mode(stack: true, records: true)] }

    /// - Parameters:
    ///   - stack: the kernel stack of the allocation is captured.
    ///   - records: samples of all processes are taken each second.
    static func mode(stack: Bool, records: Bool = false) -> ToolMode {
        ToolMode(
            of: "oomkill",
            ladders: [
                Victims.self, Context.self, Signals.self, Release.self, CommandLines.self, Senders.self,
            ]
                + (records ? [Processes.self] : []),
            uses: [.kernelNames]
        ) { (object, resolution) throws(BPFError) in
            var config = oomkill_config()
            config.scan_stack = resolution[Context.self] == .stack ? 1 : 0
            config.see_signals = resolution[Signals.self] == nil ? 0 : 1
            config.kernel_stack = stack ? 1 : 0
            let names = MemoryKiller.names.prefix(Int(OOM_KILLERS))
            // SAFETY: no more names than there are elements, each within its own.
            withUnsafeMutableBytes(of: &config.killers) { bytes in
                for (index, name) in names.enumerated() {
                    let place = index * MemoryLayout<oom_killer>.stride
                    // as the kernel keeps it: 15 bytes, and zeros
                    bytes[place..<(place + 15)].copyBytes(from: name.utf8.prefix(15))
                }
            }
            try object.setReadOnlyData(".rodata.config", to: config)
        }
    }

    enum Victims: String, Ladder {
        case tracepoint, fentry, kprobe
        static let id = "victims"
        static let sees = "the kernel's choice of a victim"

        var rung: Rung {
            switch self {
            case .tracepoint:
                Rung(
                    .tracepoint, on: .from(6, 10, "mark_victim passes the task, not its id", orBackported: true),
                    programs: ["oom_victim_btf"], requires: [.tracepointArgument("mark_victim", 0, "task_struct *")])
            case .fentry: Rung(.fentry, on: .all, programs: ["oom_victim_fentry"])
            case .kprobe: Rung(.kprobe, on: .all, programs: ["oom_victim_kprobe"])
            }
        }
    }

    enum Context: String, Ladder {
        case fentry, kprobe, stack
        static let id = "context"
        static let sees = "what ran out"
        static let without: String? = "constraint, limit, gfp flags, order and pages are unknown"

        var rung: Rung {
            switch self {
            case .fentry: Rung(.fentry, on: .all, programs: ["oom_begin_fentry"])
            case .kprobe: Rung(.kprobe, on: .all, programs: ["oom_begin_kprobe"])
            case .stack:
                Rung(
                    .stack, on: .all,
                    cannotSee: "an OOM whose oom_control is not on the trigger's stack (none is known)")
            }
        }
    }

    enum Signals: String, Ladder {
        case tracepoint
        static let id = "signals"
        static let sees = "the kernel's SIGKILL"
        static let without: String? = "processes killed for sharing a victim's memory are not seen"

        var rung: Rung { Rung(.tracepoint, on: .all, programs: ["oom_signal_btf"]) }
    }

    enum Release: String, Ladder {
        case tracepoint
        static let id = "release"
        static let sees = "the return of a victim's memory"
        static let without: String? = "how long a victim's memory took to come back is unknown"

        var rung: Rung { Rung(.tracepoint, on: .all, programs: ["oom_reaped_btf", "oom_exit_btf"]) }
    }

    enum CommandLines: String, Ladder {
        case tracepoint
        static let id = "cmdline"
        static let sees = "processes' command lines"
        static let without: String? = "a victim's command line is known only of processes older than the trace"

        var rung: Rung {
            Rung(
                .tracepoint, on: .all, programs: ["cmdline_exec_btf", "cmdline_fork_btf"],
                cannotSee: "arguments past the first 256 bytes")
        }
    }

    enum Senders: String, Ladder {
        case tracepoint
        static let id = "senders"
        static let sees = "signals by which a program ends another"
        static let without: String? = "kills by daemons such as earlyoom and systemd-oomd are not seen"

        var rung: Rung {
            Rung(
                .tracepoint, on: .all, programs: ["oom_sent_btf"],
                cannotSee: "why a signal was sent: that it was for want of memory is inferred")
        }
    }

    enum Processes: String, Ladder {
        case iterator
        static let id = "processes"
        static let sees = "what each process holds, and its oom_score_adj"

        var rung: Rung {
            Rung(
                .iterator, on: .all, programs: ["oom_process_iter"], requires: [.feature(.taskIterator)],
                runsOnDemand: true,
                cannotSee: "a process whose first thread has ended before the others")
        }
    }
}
