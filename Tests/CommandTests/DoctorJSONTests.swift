// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Reports
import SchemaSupport
import Testing

@testable import Probes
@testable import swiftmem

/// doctor's records as the golden files have them; see GoldenTests of ReportsTests.
@Suite struct DoctorJSONGolden {
    private enum Reads: String, Ladder {
        case tracepoint
        case fentryFolio = "fentry_folio"
        case probe

        static let id = "reads"
        static let sees = "buffered reads"
        static let without: String? = "hits are unknown"

        var rung: Rung {
            switch self {
            case .tracepoint: Rung(.tracepoint, on: .from(6, 12, "it came", orBackported: true), programs: ["a"])
            case .fentryFolio:
                Rung(
                    .fentry, on: .from(5, 12, "it has another name").through(6, 4, "it is split"), programs: ["b"],
                    cannotSee: "reads of tmpfs")
            case .probe: Rung(.kprobe, on: .all, programs: ["c"])
            }
        }
    }

    private var choices: [Choice] {
        let ladder = AnyLadder(Reads.self)
        let passed = ladder.rungs.map { PassedOver(rung: $0.id, reason: "there is no \"\($0.programs[0])\"") }
        return [
            Choice(ladder: ladder, rung: ladder.rungs[1], passedOver: Array(passed.prefix(1))),
            Choice(ladder: ladder, rung: nil, passedOver: passed),
        ]
    }

    private var records: [String: [JSONLine]] {
        [
            "doctor_machine": [
                DoctorJSON.machine(kernel: "6.12.9-amd64", version: "0.1.0", missingCapabilities: []),
                DoctorJSON.machine(
                    kernel: "5.10.0", version: "0.1.0", missingCapabilities: ["CAP_BPF", "CAP_PERFMON"]),
            ],
            "doctor_feature": [
                DoctorJSON.feature(.ringBuffer, .supported),
                DoctorJSON.feature(.taskStorage, .unsupported("the verifier refuses it")),
            ],
            "doctor_tool": [
                DoctorJSON.tool("cachestat", mode: nil, failure: nil, wanting: [], choices: Array(choices.prefix(1))),
                DoctorJSON.tool(
                    "memleak", mode: "kernel", failure: "memleak can't see reads",
                    wanting: ["without CAP_SYSLOG: functions of the kernel stay without names"], choices: choices),
                DoctorJSON.unknown("oomkill", mode: nil),
            ],
            "doctor_verifier": [
                DoctorJSON.verifier(tool: "cachestat", program: "read_enter_fentry", instructions: 412),
                DoctorJSON.verifier(tool: "cachestat", program: "read_exit_fentry", instructions: nil),
            ],
        ]
    }

    @Test("each of doctor's records is that of its file, and as its schema says")
    func golden() throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
        #expect(Set(records.keys) == Set(RecordSchema.all.map(\.type).filter { $0.hasPrefix("doctor_") }))
        for (type, records) in records {
            let lines = records.map { $0.text() }
            for line in lines { #expect(RecordLine.findings(in: line) == []) }
            let file = directory.appendingPathComponent("\(type).jsonl")
            if ProcessInfo.processInfo.environment["SWIFTMEM_GOLDEN"] == "write" {
                try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: file)
            }
            let expected = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
            #expect(lines == expected)
        }
    }
}

@Suite struct SchemaCommandTests {
    @Test("an unknown type is wrong usage, and says which there are")
    func unknown() throws {
        let command = try SchemaCommand.parse(["no\u{1b}such"])
        #expect {
            try command.run()
        } throws: { error in
            let failure = error as? Failure
            return failure?.status == 64
                && failure?.message.hasPrefix("schema: no record has the type no\\x1bsuch; there are start, oomkill,")
                    == true
        }
    }
}
