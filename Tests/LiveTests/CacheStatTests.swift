// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

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

extension LiveTests {
    @Suite(.serialized, .enabled(if: Live.works("cachestat"))) struct CacheStats {
        /// Within 2 %, and the few pages of the program's own text that its run faults in.
        private func agrees(_ ours: Int?, _ truth: Int?, slack: Int = 128) -> Bool {
            guard let ours, let truth else { return false }
            return abs(ours - truth) <= truth / 50 + slack
        }

        @Test("pages of each known pattern within 2 %", arguments: CachePattern.all)
        func pattern(_ pattern: CachePattern) throws {
            for rung in try availableRungs("cachestat", "reads", of: ["tracepoint", "fentry", "kprobe"]) {
                let workload = try Workload.start(
                    "pagecache", ["--dir", Live.scratch, "--wait"] + pattern.arguments)
                let ready = try workload.object("ready")
                let pid = try #require(ready.int("pid"))
                let (tool, rungs) = try Tool.tracing(
                    ["cachestat", "1000", "-p", "\(pid)"],
                    environment: ["SWIFTMEM_RUNG": "cachestat=\(rung)"])
                #expect(isRung(rungs.text("reads"), rung))
                workload.send("\n")
                let truth = try workload.object("truth")
                #expect(workload.finish().status == 0)
                let row = try #require(tool.stop().objects(ofType: "cachestat").last)
                let reads = row.int("read_access_pages") ?? 0
                let faults = row.int("fault_access_pages") ?? 0
                // a write's own pages are no accesses: reads and faults are
                let writes = ["write-new", "overwrite", "append"].contains(truth.text("pattern"))
                let access = writes ? 0 : try #require(truth.int("access_pages"))
                if pattern.mapsMore {
                    #expect(reads + faults >= access)
                } else {
                    #expect(agrees(reads + faults, access), "\(rung): \(reads) + \(faults) accesses, \(access) true")
                }
                let misses = try #require(truth.int("miss_pages_expected"))
                #expect(
                    agrees(row.int("miss_pages"), misses),
                    "\(rung): \(row.int("miss_pages") ?? -1) misses, \(misses) true")
                let dirtied = try #require(truth.int("dirtied_pages_expected"))
                #expect(
                    agrees(row.int("dirty_pages"), dirtied),
                    "\(rung): \(row.int("dirty_pages") ?? -1) dirtied, \(dirtied) true")
                if access > 20000, let ratio = row["hit_ratio"] as? Double, !pattern.mapsMore {
                    let true_ratio = Double(max(0, access - misses)) / Double(max(access, misses))
                    #expect(abs(ratio - true_ratio) < 0.02)
                }
                let losses = row.object("losses").values.compactMap { ($0 as? NSNumber)?.intValue }
                #expect(losses.allSatisfy { $0 == 0 }, "\(row.object("losses"))")
                Live.record(
                    "cachestat", Live.names(rungs), pattern.testDescription,
                    (pattern.mapsMore || agrees(reads + faults, access))
                        && agrees(row.int("miss_pages"), misses)
                        && agrees(row.int("dirty_pages"), dirtied),
                    "access \(reads + faults)/\(access) miss \(row.int("miss_pages") ?? -1)/\(misses)"
                        + " dirty \(row.int("dirty_pages") ?? -1)/\(dirtied)")
            }
        }

        @Test("where nothing tells of accesses, misses and dirtied pages are exact and the rest unknown")
        func partial() throws {
            for pattern in ["--pattern seq-read --cold", "--pattern write-new"] {
                let workload = try Workload.start(
                    "pagecache",
                    ["--dir", Live.scratch, "--wait", "--size-mb", "\(Live.fileMegabytes)"]
                        + pattern.split(separator: " ").map(String.init))
                let pid = try #require(try workload.object("ready").int("pid"))
                let (tool, rungs) = try Tool.tracing(
                    ["cachestat", "1000", "-p", "\(pid)"], environment: ["SWIFTMEM_RUNG": "cachestat=partial"])
                #expect(rungs.text("reads") == "partial")
                workload.send("\n")
                let truth = try workload.object("truth")
                #expect(workload.finish().status == 0)
                let row = try #require(tool.stop().objects(ofType: "cachestat").last)
                let misses = truth.int("miss_pages_expected"), dirtied = truth.int("dirtied_pages_expected")
                #expect(agrees(row.int("miss_pages"), misses))
                #expect(agrees(row.int("dirty_pages"), dirtied))
                for key in ["hit_pages", "hit_ratio", "read_access_pages", "fault_access_pages"] {
                    #expect(row.isNull(key), "\(key)")
                }
                Live.record(
                    "cachestat", Live.names(rungs), "partial, \(pattern)",
                    agrees(row.int("miss_pages"), misses) && agrees(row.int("dirty_pages"), dirtied), "")
            }
        }

        @Test("two processes on one file, by their name")
        func twoProcesses() throws {
            for rung in try availableRungs("cachestat", "reads", of: ["tracepoint", "fentry", "kprobe"]) {
                let workload = try Workload.start(
                    "pagecache",
                    ["--dir", Live.scratch, "--wait", "--pattern", "two-procs", "--size-mb", "\(Live.fileMegabytes)"])
                _ = try workload.object("ready")
                let (tool, rungs) = try Tool.tracing(
                    ["cachestat", "1000", "--comm", "workload-pageca"],
                    environment: ["SWIFTMEM_RUNG": "cachestat=\(rung)"])
                #expect(isRung(rungs.text("reads"), rung))
                workload.send("\n")
                let truth = try workload.object("truth")
                _ = workload.finish()
                let row = try #require(tool.stop().objects(ofType: "cachestat").last)
                // the program's own text and its shell's are read too
                let reads = row.int("read_access_pages"), misses = row.int("miss_pages")
                let access = truth.int("access_pages"), missed = truth.int("miss_pages_expected")
                #expect(agrees(reads, access, slack: 64), "\(rung): \(reads ?? -1) of \(access ?? -1)")
                #expect(agrees(misses, missed), "\(rung): \(misses ?? -1) of \(missed ?? -1)")
                Live.record(
                    "cachestat", Live.names(rungs), "two processes on one file",
                    agrees(reads, access, slack: 64) && agrees(misses, missed),
                    "access \(reads ?? -1)/\(access ?? -1) miss \(misses ?? -1)/\(missed ?? -1)")
            }
        }

        @Test(
            "pages read ahead: first use and drop, to the page",
            arguments: ["--pattern stray-read", "--pattern stray-read --bs 4096", "--pattern mmap-seq"])
        func readahead(pattern: String) throws {
            let rungs = try availableRungs("cachestat", "readahead", of: ["tracepoint", "fentry"])
            for rung in rungs {
                let workload = try Workload.start(
                    "pagecache",
                    ["--dir", Live.scratch, "--wait", "--size-mb", "\(Live.fileMegabytes)"]
                        + pattern.split(separator: " ").map(String.init))
                let pid = try #require(try workload.object("ready").int("pid"))
                // a page that faults ask for has no event of its own but in that rung's faults
                let (tool, chosen) = try Tool.tracing(
                    ["cachestat", "1000", "--readahead", "-p", "\(pid)"],
                    environment: ["SWIFTMEM_RUNG": "cachestat=\(rung)"])
                #expect(isRung(chosen.text("readahead"), rung))
                workload.send("\n")
                let truth = try workload.object("truth")
                #expect(workload.finish().status == 0)
                let row = try #require(tool.stop().objects(ofType: "cachestat").last)
                let touched = try #require(truth.int("distinct_pages"))
                let misses = try #require(row.int("miss_pages"))
                let demanded = misses - (row.int("readahead_miss_pages") ?? 0)
                let used = try #require(row.int("readahead_used_pages")) + demanded
                let dropped = try #require(row.int("readahead_dropped_pages"))
                let left = truth.int("readahead_dropped_pages_expected") ?? 0
                // the program's own text is read ahead too, when it was not cached
                #expect(abs(used - touched) <= touched / 50 + 32, "\(rung): \(used) used, \(touched) true")
                #expect(abs(dropped - left) <= left / 50 + 32, "\(rung): \(dropped) dropped, \(left) true")
                Live.record(
                    "cachestat", Live.names(chosen), "read ahead, \(pattern)",
                    abs(used - touched) <= touched / 50 + 32 && abs(dropped - left) <= left / 50 + 32,
                    "used \(used)/\(touched) dropped \(dropped)/\(left)")
            }
            guard rungs.isEmpty else { return }
            let row = try #require(
                try Tool.run(["cachestat", "0.1", "1", "--readahead", "--json"])
                    .objects(ofType: "cachestat").first)
            #expect(row.isNull("readahead_used_pages") && row.isNull("readahead_dropped_pages"))
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
                let (tool, _) = try Tool.tracing(["cachestat", "1000"])
                let result = tool.stop(number)
                #expect(result.status == 0)
                #expect(result.objects(ofType: "cachestat").count == 1)
            }
        }
    }
}
