// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Glibc
internal import Reports
internal import SystemLayer

/// Chooses one of the recorded kills.
enum KillChoice: ExpressibleByArgument, Equatable {
    case latest
    /// The first is 1; -1 is the last.
    case number(Int)
    /// The first at or behind this moment.
    case since(WallTime)

    init?(argument: String) {
        if argument == "latest" {
            self = .latest
        } else if let number = Int(argument), number != 0 {
            self = .number(number)
        } else if let time = WallTime(rfc3339: argument) {
            self = .since(time)
        } else {
            return nil
        }
    }

    /// The index of the kill that was chosen.
    ///
    /// - Throws: `Failure` with `none` where there is no kill at all, else with how many there are and where.
    func index(_ times: [WallTime], none: String, among place: String) throws(Failure) -> Int {
        if let index = index(times) { return index }
        throw .badValue(times.isEmpty ? none : "--explain: \(times.count) kills are \(place), and not this one")
    }

    /// nil: there is none.
    func index(_ times: [WallTime]) -> Int? {
        switch self {
        case .latest: times.isEmpty ? nil : times.count - 1
        case .number(let number):
            times.indices.contains(number > 0 ? number - 1 : times.count + number)
                ? (number > 0 ? number - 1 : times.count + number) : nil
        case .since(let time): times.firstIndex { $0.nanoseconds >= time.nanoseconds }
        }
    }
}

/// Explains a kill from a recorder's file; the right to read that file is enough.
enum OOMExplain {
    static func run(_ choice: KillChoice, from directory: String, advice: Bool, json: Bool) throws {
        let recording = OOMRecording(try RingFile.read(directory))
        let times = recording.samples.map(\.time.rfc3339)
        let span = times.first.map { ", from \($0) to \(times.last ?? $0)" } ?? ""
        let index = try choice.index(
            recording.kills.map(\.moment.time), none: "no kill is recorded in \(Printable.text(directory))\(span)",
            among: "recorded in \(Printable.text(directory))\(span)")
        try print(recording.explanation(of: index), advice: advice, json: json)
    }

    /// Explains a kill from the kernel log.
    ///
    /// - Parameter file: a log that was saved; nil: the kernel's own.
    /// - Throws: `Failure` where it can't be read, or there is no such kill in it.
    static func past(_ choice: KillChoice, from file: String?, advice: Bool, json: Bool) throws {
        let text = try file.map { (path) throws(Failure) in try KernelLog.text(of: path) } ?? KernelLog.text()
        let lines = text.split(whereSeparator: \.isNewline).map { KernelLogLine($0) }
        // a saved file may come from any boot and any machine
        let boot = file == nil ? WallTime(monotonic: 0) : nil
        let kills = LoggedKill.all(lines, boot: boot, pageBytes: UInt64(pageBytes))
        let place = file.map(Printable.text) ?? "the kernel log"
        if kills.isEmpty, boot == nil, lines.contains(where: { $0.message.contains(": Killed process ") }) {
            throw Failure.badValue(
                "\(place): its stamps are seconds since a boot that is not known: save it by "
                    + "dmesg -T, or journalctl -k -o short-iso")
        }
        let index = try choice.index(
            kills.map(\.victim.time), none: "no kill is in \(place)", among: "in \(place)")
        try print(OOMExplanation(kills[index]), advice: advice, json: json)
    }

    private static func print(_ explanation: OOMExplanation, advice: Bool, json: Bool) throws {
        var output = Output()
        if json {
            output.print(OOMKillJSON.line(explanation))
        } else {
            for line in OOMKillText.page(explanation, advice: advice) { output.print(line) }
        }
        _ = try output.flush()
    }
}
