// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    @Suite(.serialized, .enabled(if: Live.works("cachetop"))) struct CacheTops {
        private static let sums = [
            "read_access_pages", "fault_access_pages", "miss_pages", "dirty_pages",
            "write_alloc_pages", "readahead_miss_pages",
        ]

        /// Runs a pattern beside cachetop in each view and cachestat, all of the one
        /// process name; their JSON by view, and the truth.
        private func beside(_ arguments: String, rung: String? = nil) throws
            -> (views: [String: [[String: Any]]], stat: [String: Any], truth: [String: Any], rungs: String)
        {
            let environment = rung.map { ["SWIFTMEM_RUNG": "cachetop=\($0)"] } ?? [:]
            var names = ""
            let workload = try Workload.start(
                "pagecache",
                ["--dir", Live.scratch, "--wait", "--size-mb", "\(Live.fileMegabytes)"]
                    + arguments.split(separator: " ").map(String.init))
            _ = try workload.object("ready")
            let name = ["--comm", "workload-pageca"]
            var tools: [String: Running] = [:]
            for view in ["process", "file", "cgroup"] {
                let (tool, rungs) = try Tool.tracing(
                    ["cachetop", "1000", "--by", view] + name, environment: environment)
                (tools[view], names) = (tool, Live.names(rungs))
            }
            let (stat, _) = try Tool.tracing(["cachestat", "1000"] + name)
            workload.send("\n")
            let truth = try workload.object("truth")
            #expect(workload.finish().status == 0)
            let views = tools.mapValues { $0.stop().objects }
            return (views, try #require(stat.stop().objects(ofType: "cachestat").last), truth, names)
        }

        @Test(
            "rows of every view sum to cachestat's totals",
            arguments: [
                "--pattern seq-read --cold", "--pattern mmap-seq --cold", "--pattern write-new",
                "--pattern overwrite --warm", "--pattern two-procs",
            ])
        func totals(_ pattern: String) throws {
            try check(pattern, rung: nil)
        }

        @Test("... on every rung")
        func rungs() throws {
            for rung in try availableRungs("cachetop", "reads", of: ["tracepoint", "fentry", "kprobe"]) {
                try check("--pattern seq-read --cold", rung: rung)
            }
        }

        private func check(_ pattern: String, rung: String?) throws {
            let (views, stat, truth, names) = try beside(pattern, rung: rung)
            for (view, objects) in views {
                let rows = objects.filter { $0.text("type") == "cachetop" }
                let interval = try #require(objects.last { $0.text("type") == "cachetop_interval" })
                #expect(!rows.isEmpty)
                #expect(interval.int("unattributed_pages") == 0)
                for key in Self.sums {
                    let sum = rows.reduce(0) { $0 + ($1.int(key) ?? 0) }
                    #expect(sum == interval.int(key), "\(view) \(key)")
                    // each tool starts and stops in its turn: faults at either end differ
                    let total = try #require(stat.int(key))
                    #expect(abs(sum - total) <= 128 + total / 100, "\(view) \(key): \(sum), cachestat \(total)")
                }
            }
            let file = try #require(
                views["file"]?.first { $0.text("file") == truth.text("path") },
                "\(views["file"]?.compactMap { $0.text("file") } ?? [])")
            #expect(file.hex("inode") == truth.int("inode"))
            #expect(file.text("device") == "\(truth.int("device_major") ?? -1):\(truth.int("device_minor") ?? -1)")
            #expect(abs((file.int("miss_pages") ?? -1) - (truth.int("miss_pages_expected") ?? 0)) <= 128)
            #expect(abs((file.int("dirty_pages") ?? -1) - (truth.int("dirtied_pages_expected") ?? 0)) <= 128)
            Live.record("cachetop", names, pattern, true, "")
        }

        @Test("two processes on one file: a row each, and one of the file")
        func twoProcesses() throws {
            let (views, _, truth, _) = try beside("--pattern two-procs")
            let asked = try #require(truth.int("access_pages"))
            func busy(_ view: String) -> [[String: Any]] {
                (views[view] ?? []).filter {
                    $0.text("type") == "cachetop" && ($0.int("read_access_pages") ?? 0) > asked / 3
                }
            }
            let readers = busy("process")
            #expect(readers.count == 2)
            #expect(Set(readers.compactMap { $0.int("pid") }).count == 2)
            let files = busy("file")
            #expect(files.count == 1)
            #expect(abs((files.first?.int("read_access_pages") ?? 0) - asked) <= asked / 50)
        }

        @Test("where nothing tells of accesses, misses are exact and hits unknown")
        func partial() throws {
            let (views, _, truth, names) = try beside("--pattern seq-read --cold", rung: "partial")
            let row = try #require(views["file"]?.first { $0.text("file") == truth.text("path") })
            let misses = try #require(truth.int("miss_pages_expected"))
            #expect(abs((row.int("miss_pages") ?? -1) - misses) <= 128)
            #expect(row.isNull("hit_pages") && row.isNull("read_hit_ratio"))
            Live.record("cachetop", names, "partial", row.isNull("hit_pages"), "")
        }

        @Test("a write to new pages hits nothing, one to cached pages hits all")
        func writeHits() throws {
            for (pattern, ratio) in [("--pattern write-new", 0.0), ("--pattern overwrite --warm", 1.0)] {
                let (views, _, truth, _) = try beside(pattern)
                let row = try #require(views["file"]?.first { $0.text("file") == truth.text("path") })
                let seen = try #require(row["write_hit_ratio"] as? Double)
                #expect(abs(seen - ratio) < 0.01)
                #expect(row.isNull("read_hit_ratio"))
            }
        }

        @Test("bcc's first line and columns; -r, --sort, count")
        func text() throws {
            let result = try Tool.run(["cachetop", "0.3", "2", "-r", "3", "--sort", "pid"])
            #expect(result.status == 0)
            let titles = result.lines.filter { $0.contains(" Buffers MB: ") }
            #expect(titles.count == 2)
            #expect(titles.allSatisfy { $0.hasSuffix(" / Sort: PID / Order: descending") })
            let header = "PID      UID      CMD              HITS     MISSES   DIRTIES  READ_HIT%  WRITE_HIT%"
            #expect(result.lines.filter { $0 == header }.count == 2)
            #expect(result.lines.count <= 2 * (2 + 3))
            #expect(try Tool.run(["cachetop", "--sort", "colour"]).status == 64)
        }

        /// An emulated CPU takes minutes for them.
        @Test("more files than a map holds: the rows and what is in none add up", .enabled(if: !Live.inMatrix))
        func overflow() throws {
            let directory = "\(Live.scratch)/swiftmem-files-\(getpid())"
            defer { _ = try? Tool.shell("rm -rf \(directory)") }
            _ = try Tool.shell("mkdir \(directory) && cd \(directory) && seq 40000 | split -l 1 -a 4 -")
            let (tool, _) = try Tool.tracing(["cachetop", "1000", "--comm", "cat"])
            #expect(try Tool.shell("cd \(directory) && find . -type f | xargs cat | wc -l").lines == ["40000"])
            let objects = tool.stop().objects
            let rows = objects.filter { $0.text("type") == "cachetop" }
            let interval = try #require(objects.last { $0.text("type") == "cachetop_interval" })
            let unattributed = try #require(interval.int("unattributed_pages"))
            #expect(unattributed > 40000 - 32768)
            #expect(interval.object("losses").int("map_full") ?? 0 > 0)
            #expect(interval.int("read_access_pages") ?? 0 >= 40000)
            let counted = ["read_access_pages", "fault_access_pages", "miss_pages", "dirty_pages"]
            let sums = counted.map { key in rows.reduce(0) { $0 + ($1.int(key) ?? 0) } }.reduce(0, +)
            #expect(sums + unattributed == counted.map { interval.int($0) ?? 0 }.reduce(0, +))
        }

        @Test("only the files asked for")
        func files() throws {
            let (tool, _) = try Tool.tracing(["cachetop", "1000", "--by", "file", "--file", "*/libc*"])
            _ = try Tool.shell("/bin/true")
            let rows = tool.stop().objects(ofType: "cachetop")
            #expect(!rows.isEmpty)
            #expect(rows.allSatisfy { $0.text("file")?.contains("/libc") == true })
        }
    }
}
