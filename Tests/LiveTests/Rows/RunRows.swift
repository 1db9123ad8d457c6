// SPDX-License-Identifier: Apache-2.0

/// A tool traces, by these rungs.
struct StartRow: Row {
    static let type = "start"
    let tool: String
    let pageBytes: Int
    /// By ladder; null where no rung of it could be had.
    let rungs: [String: String?]

    /// The rung of a ladder.
    func rung(_ ladder: String) -> String? { rungs[ladder] ?? nil }

    /// Is a ladder by a rung that this name asks for?
    func stands(_ ladder: String, on name: String) -> Bool { rung(ladder).map { isRung($0, name) } ?? false }

    /// As the matrix's results name them: `ladder/rung`, with commas.
    var rungNames: String {
        let names: [String] = rungs.compactMap { ladder, rung in rung.map { "\(ladder)/\($0)" } }
        return names.isEmpty ? "-" : names.sorted().joined(separator: ",")
    }
}

/// What a report could not see, by cause.
typealias Losses = [String: Int]

extension Losses {
    var total: Int { values.reduce(0, +) }
    /// The causes that are not zero.
    var causes: Losses { filter { $0.value != 0 } }
}

struct DoctorMachineRow: Row {
    static let type = "doctor_machine"
    let kernel: String
}

struct DoctorToolRow: Row {
    static let type = "doctor_tool"

    struct Ladder: Decodable, Sendable {
        let ladder: String
        @Known var rung: String?
        let passedOver: [PassedOver]
    }

    struct PassedOver: Decodable, Sendable {
        let rung: String
        let reason: String
    }

    let tool: String
    @Known var mode: String?
    let works: Bool
    @Known var failure: String?
    let ladders: [Ladder]

    func ladder(_ name: String) -> Ladder? { ladders.first { $0.ladder == name } }
}

struct DoctorVerifierRow: Row {
    static let type = "doctor_verifier"
    let tool: String
    let program: String
    @Known var instructions: Int?
}

/// A workload stands ready, and waits for a line.
struct ReadyRow: Row {
    static let type = "ready"
    let pid: Int?
}

/// A workload has given back what it held.
struct ReleasedRow: Row { static let type = "released" }
