// SPDX-License-Identifier: Apache-2.0
internal import Probes

extension MemInfo {
    static var modes: [ToolMode] { [mode, huntMode(room: 1024)] }
    static let worksWithoutHooks = true

    static var mode: ToolMode {
        ToolMode(
            of: "meminfo",
            ladders: [Processes.self, Files.self, Mappings.self, PacketRings.self, BPFRings.self],
            configure: { _, _ in })
    }

    enum Processes: String, Ladder {
        case iterator
        static let id = "processes"
        static let sees = "what each process has, exactly"
        static let without: String? = "resident sizes are those of /proc, which since 6.2 may be off"

        var rung: Rung {
            Rung(
                .iterator, on: .all, programs: ["process_memory_iter"], runsOnDemand: true,
                cannotSee: "a process whose first thread has ended before the others")
        }
    }

    enum Files: String, Ladder {
        case iterator, unrolled
        static let id = "files"
        static let sees = "what is open: shared memory, pipes, sockets, rings"
        static let without: String? = "what waits in pipes and sockets stays in the remainder"

        var rung: Rung {
            switch self {
            case .iterator:
                Rung(
                    .iterator, on: .from(5, 17, "bpf_loop()"), programs: ["namespaces_iter", program],
                    runsOnDemand: true, cannotSee: "sockets that no process has open")
            case .unrolled:
                Rung(
                    .iterator, on: .all, programs: ["namespaces_iter", program], runsOnDemand: true,
                    cannotSee: "sockets that no process has open; large pipes and queues are estimated")
            }
        }

        var program: String {
            switch self {
            case .iterator: "open_file_iter"
            case .unrolled: "open_file_unrolled_iter"
            }
        }
    }

    enum Mappings: String, Ladder {
        case iterator
        static let id = "mappings"
        static let sees = "who maps shared memory"
        static let without: String? = "who holds shared memory is read from /proc, more slowly"

        var rung: Rung {
            Rung(
                .iterator, on: .from(5, 12, "an iterator over mappings"), programs: ["shared_mapping_iter"],
                reliesOn: [Reliance(onAny: Files.allCases, what: "which shared memory is open")], runsOnDemand: true)
        }
    }

    enum PacketRings: String, Ladder {
        case type
        static let id = "packet_rings"
        static let sees = "rings of packet sockets"
        static let without: String? = "rings of packet sockets stay in the remainder"

        var rung: Rung {
            Rung(
                .indirect, on: .all, requires: [.hasStruct("packet_sock")],
                reliesOn: [Reliance(onAny: Files.allCases, what: "which sockets are open")])
        }
    }

    enum BPFRings: String, Ladder {
        case iterator
        static let id = "bpf_rings"
        static let sees = "rings of BPF programs"
        static let without: String? = "rings of BPF programs stay in the remainder"

        var rung: Rung {
            Rung(.iterator, on: .all, programs: ["bpf_ring_iter"], runsOnDemand: true)
        }
    }
}
