// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

private let readaheadRungs = ["tracepoint", "fentry_read_splice_folio", "fentry_read_splice", "fentry_read"]

/// A page-cache pattern and how its accesses are counted.
struct CachePattern: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    /// Mapped patterns are seen as faults: what the faults mapped, not each touch.
    var mapsMore = false

    init(_ text: String, mapsMore: Bool = false) {
        var arguments = text.split(separator: " ").map(String.init)
        if !arguments.contains("--size-mb") { arguments += ["--size-mb", "\(Live.fileMegabytes)"] }
        self.arguments = arguments
        self.mapsMore = mapsMore
    }

    var testDescription: String { arguments.joined(separator: " ") }

    static let all = [
        CachePattern("--pattern seq-read --cold --bs 65536"),
        CachePattern("--pattern seq-read --warm --bs 4096"),
        CachePattern("--pattern seq-read --cold --bs 512 --size-mb 5"),
        CachePattern("--pattern seq-read --cold --bs 1048576"),
        CachePattern("--pattern seq-read --cold --bs 16777216 --size-mb 96"),
        CachePattern("--pattern rand-read --cold --no-readahead --count 2000"),
        CachePattern("--pattern rand-read --cold --count 2000"),
        CachePattern("--pattern mmap-seq --cold"),
        CachePattern("--pattern mmap-seq --warm"),
        CachePattern("--pattern mmap-rand --cold --no-readahead --count 2000"),
        CachePattern("--pattern mmap-rand --warm", mapsMore: true),
        CachePattern("--pattern write-new"),
        CachePattern("--pattern overwrite --warm --size-mb 20 --bs 4096"),
        CachePattern("--pattern append --size-mb 20"),
        CachePattern("--pattern splice"),
        CachePattern("--pattern sendfile"),
        CachePattern("--pattern direct-read"),
        CachePattern("--pattern reread --size-mb 10"),
        CachePattern("--pattern bigger-than-memory --size-mb 64"),
    ]
}

/// The ways of seeing what reads ask for that this kernel has.
private let readRungs = ["tracepoint", "fentry", "kprobe"]

extension LiveTests {
    /// cachestat beside workload-pagecache, whose truth is what it asked for and what the cache held.
    @Suite(.serialized, .exercises("cachestat")) struct CacheStats {
        /// Within 2 %, and the few pages of the program's own text that its run faults in.
        private func agrees(_ ours: Int?, _ truth: Int, slack: Int = 128) -> Bool {
            guard let ours else { return false }
            return abs(ours - truth) <= truth / 50 + slack
        }

        /// Runs a pattern to its end under the trace of its process, or of its name.
        private func trace(
            _ arguments: [String], options: [String] = [], rung: String, byName: Bool = false
        ) throws -> (row: CacheStatRow, truth: PageCacheTruth, start: StartRow) {
            let workload = try Workload.start("pagecache", ["--dir", Live.scratch, "--wait"] + arguments)
            let pid = try #require(try workload.row(ReadyRow.self).pid)
            let whose = byName ? ["--comm", "workload-pageca"] : ["-p", "\(pid)"]
            let (tool, start) = try Tool.tracing(["cachestat", "1000"] + options + whose, rung: "cachestat=\(rung)")
            workload.send("\n")
            let truth: PageCacheTruth = try workload.row()
            #expect(workload.finish().status == 0)
            return (try #require(try tool.stop().rows(CacheStatRow.self).last), truth, start)
        }

        private func words(_ pattern: String) -> [String] {
            ["--size-mb", "\(Live.fileMegabytes)"] + pattern.split(separator: " ").map(String.init)
        }

        @Test(
            "pages of each known pattern within 2 %",
            arguments: try Rungs.here("cachestat", "reads", of: readRungs), CachePattern.all)
        func pattern(rung: String, pattern: CachePattern) throws {
            let (row, truth, start) = try trace(pattern.arguments, rung: rung)
            #expect(start.stands("reads", on: rung))
            let reads = row.readAccessPages ?? 0
            let faults = row.faultAccessPages ?? 0
            // a write's own pages are no accesses: reads and faults are
            let writes = ["write-new", "overwrite", "append"].contains(truth.pattern)
            let access = writes ? 0 : truth.accessPages
            TestRecord.note("access \(reads + faults)/\(access)")
            if pattern.mapsMore {
                #expect(reads + faults >= access)
            } else {
                #expect(agrees(reads + faults, access), "\(reads) + \(faults) accesses, \(access) true")
            }
            let misses = truth.missPagesExpected, dirtied = truth.dirtiedPagesExpected
            TestRecord.note("miss \(row.missPages ?? -1)/\(misses) dirty \(row.dirtyPages ?? -1)/\(dirtied)")
            #expect(agrees(row.missPages, misses), "\(row.missPages ?? -1) misses, \(misses) true")
            #expect(agrees(row.dirtyPages, dirtied), "\(row.dirtyPages ?? -1) dirtied, \(dirtied) true")
            if access > 20000, !pattern.mapsMore {
                let ratio = try #require(row.hitRatio)
                let true_ratio = Double(max(0, access - misses)) / Double(max(access, misses))
                #expect(abs(ratio - true_ratio) < 0.02)
            }
            #expect(row.losses.causes.isEmpty, "\(row.losses)")
        }

        @Test(
            "where nothing tells of accesses, misses and dirtied pages are exact and the rest unknown",
            .tags(.brief), arguments: ["--pattern seq-read --cold", "--pattern write-new"])
        func partial(pattern: String) throws {
            let (row, truth, start) = try trace(words(pattern), rung: "partial")
            #expect(start.stands("reads", on: "partial"))
            #expect(agrees(row.missPages, truth.missPagesExpected))
            #expect(agrees(row.dirtyPages, truth.dirtiedPagesExpected))
            #expect(row.hitPages == nil && row.hitRatio == nil)
            #expect(row.readAccessPages == nil && row.faultAccessPages == nil)
        }

        @Test(
            "two processes on one file, by their name", .tags(.brief),
            arguments: try Rungs.here("cachestat", "reads", of: readRungs))
        func twoProcesses(rung: String) throws {
            let (row, truth, start) = try trace(words("--pattern two-procs"), rung: rung, byName: true)
            #expect(start.stands("reads", on: rung))
            // the program's own text and its shell's are read too
            let reads = row.readAccessPages ?? -1, misses = row.missPages ?? -1
            #expect(agrees(reads, truth.accessPages, slack: 64), "\(reads) of \(truth.accessPages)")
            #expect(agrees(misses, truth.missPagesExpected), "\(misses) of \(truth.missPagesExpected)")
            TestRecord.note("access \(reads)/\(truth.accessPages) miss \(misses)/\(truth.missPagesExpected)")
        }

        @Test(
            "pages read ahead: first use and drop, to the page", .tags(.brief),
            arguments: try Rungs.here("cachestat", "readahead", of: readaheadRungs),
            ["--pattern stray-read", "--pattern stray-read --bs 4096", "--pattern mmap-seq"])
        func readahead(rung: String, pattern: String) throws {
            // a page that faults ask for has no event of its own but in that rung's faults
            let (row, truth, start) = try trace(words(pattern), options: ["--readahead"], rung: rung)
            #expect(start.stands("readahead", on: rung))
            let touched = truth.distinctPages
            let demanded = try #require(row.missPages) - (row.readaheadMissPages ?? 0)
            let used = try #require(row.readaheadUsedPages) + demanded
            let dropped = try #require(row.readaheadDroppedPages)
            let left = truth.readaheadDroppedPagesExpected ?? 0
            TestRecord.note("used \(used)/\(touched) dropped \(dropped)/\(left)")
            // the program's own text is read ahead too, when it was not cached
            #expect(abs(used - touched) <= touched / 50 + 32, "\(used) used, \(touched) true")
            #expect(abs(dropped - left) <= left / 50 + 32, "\(dropped) dropped, \(left) true")
        }

        @Test(
            "where nothing tells of pages read ahead, their first use and drop are unknown", .tags(.brief),
            .enabled("this kernel tells") {
                try Rungs.lacks("cachestat", "readahead", readaheadRungs)
            })
        func noReadahead() throws {
            let row = try #require(
                try Tool.run(["cachestat", "0.1", "1", "--readahead", "--json"]).rows(CacheStatRow.self).first)
            #expect(row.readaheadUsedPages == nil && row.readaheadDroppedPages == nil)
        }

        @Test("bcc's columns and widths, and the count")
        func text() throws {
            let result = try Tool.run(["cachestat", "0.2", "3"])
            #expect(result.status == 0)
            // a busy machine may add what /proc/vmstat says, or what of others' first faults was not counted
            let lines = result.lines.filter { !$0.hasPrefix("vmstat: ") && !$0.hasPrefix("lost: ") }
            #expect(lines.count == 4)
            #expect(lines.first == "    HITS   MISSES  DIRTIES HITRATIO   BUFFERS_MB  CACHED_MB")
            for line in lines.dropFirst() {
                let widths = [8, 17, 26, 35, 48, 59]
                #expect(line.count == 59)
                #expect(widths.allSatisfy { line.index(line.startIndex, offsetBy: $0 - 1) < line.endIndex })
                #expect(line.split(separator: " ").count == 6)
                #expect(line.split(separator: " ")[3].hasSuffix("%"))
            }
            let stamped = try Tool.run(["cachestat", "-T", "0.1", "1"])
            #expect(stamped.lines.first?.hasPrefix("TIME         HITS") == true)
        }

        @Test("a signal in mid-interval prints the interval")
        func signal() throws {
            for number in [SIGINT, SIGTERM, SIGHUP] {
                let result = try Tool.tracing(["cachestat", "1000"]).tool.stop(number)
                #expect(result.status == 0)
                #expect(try result.rows(CacheStatRow.self).count == 1)
            }
        }
    }
}
