// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Glibc
internal import Reports

/// Which kill of those recorded.
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

/// Explains a kill by what a recorder has noted; needs no rights but to read its file.
enum OOMExplain {
    static func run(_ choice: KillChoice, from directory: String, json: Bool) throws {
        var kills: [OOMVictim] = []
        var samples: [OOMSample] = []
        for frame in try RingFile.read(directory) {
            switch frame {
            case .sample(let sample): samples.append(sample)
            case .kill(let time, let record):
                if let victim = OOMVictim(recorded: record, at: time) { kills.append(victim) }
            }
        }
        guard let index = choice.index(kills.map(\.time)) else {
            let first = samples.first.map { ", since \($0.time.rfc3339)" } ?? ""
            throw Failure.badValue(
                kills.isEmpty
                    ? "no kill is recorded in \(Printable.text(directory))\(first)"
                    : "--explain: \(kills.count) kills are recorded in \(Printable.text(directory)), and not this one")
        }
        let explanation = OOMExplanation(kills[index], samples: samples)
        var output = Output()
        if json {
            output.print(OOMKillJSON.line(explanation))
        } else {
            for line in OOMKillText.page(explanation) { output.print(line) }
        }
        _ = try output.flush()
    }
}
