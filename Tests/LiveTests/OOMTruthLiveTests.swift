// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// What workload-oomcrowd did.
struct OOMCrowdTruth: Row {
    static let type = "truth"

    struct Member: Decodable, Sendable {
        let pid: Int
        let comm: String
        let curve: String
        let bytesPerSecond: Double
        let heldBytes: Int
        let shmemKb: Int
        let oomScoreAdj: Int
        let oomScore: Int?
        let rssKb: Int?
        let swapKb: Int?
        let pageTablesKb: Int?
        let killed: Bool
    }

    let cgroup: String
    let limitBytes: Int
    let pageSizeBytes: Int
    let victimPid: Int
    let members: [Member]
}

extension LiveTests {
    /// Kills whose growers, rates and points are known beforehand. A few of each; SWIFTMEM_OOM_KILLS says how many.
    @Suite(.serialized, .exercises("oomkill")) struct OOMTruths {
        private static let count = ProcessInfo.processInfo.environment["SWIFTMEM_OOM_KILLS"].flatMap { Int($0) } ?? 5
        private static func tell(_ figures: String) {
            TestRecord.note(figures)
            // for whoever asked for so many
            if count > 5 { print(figures) }
        }

        /// Crowds that run at once, each below a limit of its own.
        private static let atOnce = Live.inMatrix ? 2 : max(5, count / 16)

        /// Runs crowds under one trace, and gives each with what the tool explains of its first kill.
        private func explained(_ crowds: [[String]]) throws -> [(truth: OOMCrowdTruth, row: OOMKillExplanationRow)] {
            let store = "\(NSTemporaryDirectory())/record-\(UInt32.random(in: 0 ... .max))"
            defer { try? FileManager.default.removeItem(atPath: store) }
            let tool = try Tool.tracing(["oomkill", "--record", store]).tool
            var truths: [OOMCrowdTruth] = []
            // the number of each cgroup's first kill; read after each batch, or the tool would wait for its reader
            var numbers: [String: Int] = [:]
            var kills = 0
            for start in stride(from: 0, to: crowds.count, by: Self.atOnce) {
                let running = try crowds[start..<min(start + Self.atOnce, crowds.count)].map { words in
                    try Running(Workload.path("oomcrowd"), words)
                }
                for crowd in running { truths.append(try crowd.row(OOMCrowdTruth.self)) }
                for crowd in running { #expect(crowd.finish().status == 0) }
                while !truths.allSatisfy({ numbers[$0.cgroup] != nil }) {
                    let kill = try tool.row(OOMKillRow.self)
                    kills += 1
                    if let cgroup = kill.limitCgroup, numbers[cgroup] == nil { numbers[cgroup] = kills }
                }
            }
            #expect(tool.stop(SIGINT).status == 0)
            return try truths.map { truth in
                let number = try #require(numbers[truth.cgroup])
                let found = try Tool.run(["oomkill", "--explain", "\(number)", "--from", store, "--json"])
                let row = try #require(try found.rows(OOMKillExplanationRow.self).first, "\(found.errors)")
                #expect(row.limitCgroup == truth.cgroup)
                return (truth, row)
            }
        }

        /// Who grows, by what curve, and which member is to be named.
        private static func curves(_ number: Int, _ random: inout some RandomNumberGenerator) -> (
            words: [String], culprit: Int
        ) {
            // MiB a second, so that it takes ten seconds and more
            let rate = Double.random(in: 3...5, using: &random)
            let kilobytes = "rate-kb=\(Int(rate * 1024))"
            switch number % 5 {
            case 0: return (["hold,base-kb=8192", "linear,\(kilobytes)"], 1)
            case 1:
                return (["step,\(kilobytes),every-ms=\([500, 1000, 2000][number / 5 % 3])", "hold,base-kb=4096"], 0)
            case 2: return (["hold,base-kb=2048", "saw,\(kilobytes),every-ms=6000,rise-kb=14336"], 1)
            case 3: return (["linear,rate-kb=1024", "linear,\(kilobytes)", "hold,base-kb=1024"], 1)
            default:
                // an early one, large and at rest, which is killed for it
                return (["linear,rate-kb=16384,most-kb=36864", "linear,rate-kb=\(Int(rate * 512)),after-ms=5000"], 1)
            }
        }

        @Test("curves of growth: the one that grows is named, and its rate")
        func curves() throws {
            var random = SystemRandomNumberGenerator()
            let crowds = (0..<Self.count).map { Self.curves($0, &random) }
            let found = try explained(crowds.map { ["--limit-mb", "72"] + $0.words })
            var (named, worst) = (0, [String: Double]())
            for (crowd, (truth, row)) in zip(crowds, found) {
                let culprit = truth.members[crowd.culprit]
                if row.growers.first?.pid == culprit.pid { named += 1 }
                #expect(row.growers.first?.pid == culprit.pid, "\(crowd.words): \(row.growers)")
                guard let grower = row.growers.first(where: { $0.pid == culprit.pid }) else { continue }
                let off = grower.bytesPerSecond / culprit.bytesPerSecond - 1
                worst[culprit.curve] = max(worst[culprit.curve] ?? 0, abs(off))
                #expect(abs(off) < (Live.inMatrix ? 0.05 : 0.02), "\(crowd.words): \(off)")
            }
            Self.tell("\(named) of \(crowds.count) named; rates off by at most \(worst)")
        }

        /// Members that hold what they hold, and one that asks for more than is left.
        private static func crowd(_ number: Int, swap: Bool, _ random: inout some RandomNumberGenerator) -> [String] {
            var members: [String] = []
            for index in 0..<4 {
                // at least a MiB apart, in any order
                let kilobytes = 4096 + 3072 * index + Int.random(in: 0...1024, using: &random)
                var words = "hold,base-kb=\(kilobytes)"
                switch (number + index) % 4 {
                case 1: words += ",shmem-kb=\(Int.random(in: 1...4, using: &random) * 512)"
                case 2: words += ",adj=\(Int.random(in: 0...9, using: &random) * 50)"
                case 3: words += ",children=\(Int.random(in: 1...3, using: &random))"
                default: break
                }
                members.append(words)
            }
            members.shuffle(using: &random)
            return ["--limit-mb", "64", "--settle-ms", "2500"] + (swap ? ["--swap-mb", "24"] : []) + members
                + ["linear,rate-kb=131072,base-kb=512"]
        }

        @Test("who is chosen: the one with the most points, which are those of /proc/PID/oom_score")
        func choices() throws {
            var random = SystemRandomNumberGenerator()
            let swaps = try Tool.shell("tail -n +2 /proc/swaps | grep -q .").status == 0
            let crowds = (0..<Self.count).map { Self.crowd($0, swap: swaps && $0 % 2 == 1, &random) }
            let found = try explained(crowds)
            let meminfo = try String(contentsOfFile: "/proc/meminfo", encoding: .utf8)
            func kilobytes(_ key: String) -> Int {
                meminfo.split(separator: "\n").first { $0.hasPrefix(key + ":") }
                    .flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) } ?? 0
            }
            var (chosen, scores, wrong) = (0, 0, 0)
            for (words, (truth, row)) in zip(crowds, found) {
                let pageKB = truth.pageSizeBytes / 1024
                let total = (kilobytes("MemTotal") + kilobytes("SwapTotal")) / pageKB
                #expect(row.victimPid == truth.victimPid)
                let first = row.candidates.first
                if first?.chosen == true && first?.pid == truth.victimPid { chosen += 1 }
                #expect(first?.chosen == true && first?.pid == truth.victimPid, "\(words): \(row.candidates)")
                // those at rest hold at the kill what the kernel scored them for before
                for member in truth.members where member.curve == "hold" {
                    let candidate = try #require(row.candidates.first { $0.pid == member.pid }, "\(member)")
                    #expect(candidate.oomScoreAdj == member.oomScoreAdj)
                    let pages = try #require(candidate.points) - candidate.adjustmentPoints
                    // fs/proc/base.c, proc_oom_score()
                    let badness = pages + member.oomScoreAdj * (total / 1000)
                    let score = (1000 + badness * 1000 / total) * 2 / 3
                    scores += 1
                    if score != member.oomScore { wrong += 1 }
                    let told = try #require(member.oomScore)
                    #expect(abs(score - told) <= 1, "\(member): \(score)")
                    let kernel = ((member.rssKb ?? 0) + (member.swapKb ?? 0) + (member.pageTablesKb ?? 0)) / pageKB
                    // shared memory that has gone to swap since is no process's any more, to the kernel neither
                    let gone = words.contains("--swap-mb") ? member.shmemKb / pageKB : 0
                    #expect((kernel - gone - 64...kernel + 64).contains(pages), "\(member): \(pages) pages")
                }
            }
            Self.tell(
                "\(chosen) of \(crowds.count) choices; \(scores - wrong) of \(scores) scores equal, the others by one; "
                    + (swaps ? "half with swap" : "no swap here"))
        }
    }
}
