// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import TraceRecords
internal import Unwind

/// What growth attaches to.
enum GrowthProbes {
    /// - Parameter runsCommand: what is traced is a command of the user's.
    static func mode(
        config: growth_config = growth_config(), filter: filter_config = filter_config(), stack: StackMode = .auto,
        runsCommand: Bool = false
    ) -> ToolMode {
        ToolMode(
            of: "growth", ladders: [Faults.self, Counters.self, Processes.self, Spaces.self],
            uses: CapabilityUse.otherUsersProcesses + [runsLater], runsCommand: runsCommand
        ) { (object, _) throws(BPFError) in
            try object.setReadOnlyData(".rodata.config", to: config)
            try object.setReadOnlyData(".rodata.filter", to: filter)
            try stack.prepare(object, preallocates: false)
        }
    }

    private static let runsLater = CapabilityUse(
        capability: .perfmon, without: "nothing can be counted", isKept: true)

    /// Where a fault is and when it begins.
    enum Faults: String, Ladder {
        case tracepoint, fentry, kprobe
        static let id = "faults"
        static let sees = "addresses of faults, and how long they wait"
        static let without: String? =
            "which pages of a stack are resident still, which faults were major and how long they waited"

        var rung: Rung {
            switch self {
            // x86's alone
            case .tracepoint: Rung(.tracepoint, on: split, programs: ["fault_user_rawtp", "fault_kernel_rawtp"])
            case .fentry: Rung(.fentry, on: split, programs: ["fault_handle_fentry"])
            case .kprobe: Rung(.kprobe, on: split, programs: ["fault_handle_kprobe"])
            }
        }
    }

    /// What resident memory changes by.
    enum Counters: String, Ladder {
        case split
        static let id = "counters"
        static let sees = "changes of resident memory"

        var rung: Rung {
            Rung(
                .tracepoint, on: GrowthProbes.split, programs: ["rss_rawtp"],
                requires: [.lacksStruct("mm_rss_stat"), .feature(.taskStorage), .feature(.perCPULookup)])
        }
    }

    enum Processes: String, Ladder {
        case tracepoint
        static let id = "processes"
        static let sees = "processes and address spaces that begin and end"

        var rung: Rung {
            Rung(
                .tracepoint, on: split,
                programs: [
                    "process_fork_rawtp", "process_exec_rawtp", "process_exit_rawtp", "space_move_rawtp",
                    "space_end_rawtp",
                ],
                cannotSee:
                    "where mremap moves pages to, at an address of the caller's choice")
        }
    }

    enum Spaces: String, Ladder {
        case iterator
        static let id = "spaces"
        static let sees = "what is resident at the start and now"

        var rung: Rung {
            Rung(
                .iterator, on: split, programs: ["space_start_iter", "space_sum_iter"],
                requires: [.feature(.taskIterator)])
        }
    }

    /// Before, threads keep a part of the counters to themselves, and the tracepoint is silent about it.
    private static let split = KernelRange.from(
        6, 2, "every change of an address space's counters passes tracepoint rss_stat", orBackported: true)
}
