// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// cachetop beside workload-pagecache and beside cachestat.
    @Suite(.serialized, .exercises("cachetop")) struct CacheTops {
        /// The last interval of a view, and its rows.
        private struct View {
            let rows: [CacheTopRow]
            let interval: CacheTopIntervalRow

            init(_ finished: Finished) throws {
                rows = try finished.rows()
                interval = try #require(try finished.rows(CacheTopIntervalRow.self).last)
            }

            func row(of file: String) throws -> CacheTopRow {
                try #require(rows.first { $0.file == file }, "\(rows.compactMap(\.file))")
            }
        }

        private struct Observed {
            let process: View
            let file: View
            let cgroup: View
            let stat: CacheStatRow
            let truth: PageCacheTruth
        }

        /// Runs a pattern beside cachetop in each view and cachestat, all of the one process name.
        private func beside(_ arguments: String, rung: String? = nil) throws -> Observed {
            let workload = try Workload.start(
                "pagecache",
                ["--dir", Live.scratch, "--wait", "--size-mb", "\(Live.fileMegabytes)"]
                    + arguments.split(separator: " ").map(String.init))
            try workload.row(ReadyRow.self)
            let name = ["--comm", "workload-pageca"]
            let tools = try ["process", "file", "cgroup"].map { view in
                let (tool, start) = try Tool.tracing(
                    ["cachetop", "1000", "--by", view] + name, rung: rung.map { "cachetop=\($0)" })
                if let rung { #expect(start.stands("reads", on: rung)) }
                return tool
            }
            let stat = try Tool.tracing(["cachestat", "1000"] + name).tool
            workload.send("\n")
            let truth: PageCacheTruth = try workload.row()
            #expect(workload.finish().status == 0)
            let views = try tools.map { try View($0.stop()) }
            return Observed(
                process: views[0], file: views[1], cgroup: views[2],
                stat: try #require(try stat.stop().rows(CacheStatRow.self).last), truth: truth)
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

        @Test(
            "rows of every view sum to cachestat's totals on every rung", .tags(.brief),
            arguments: try Rungs.here("cachetop", "reads", of: ["tracepoint", "fentry", "kprobe"]))
        func rungs(rung: String) throws {
            try check("--pattern seq-read --cold", rung: rung)
        }

        private func check(_ pattern: String, rung: String?) throws {
            let seen = try beside(pattern, rung: rung), truth = seen.truth
            for (name, view) in [("process", seen.process), ("file", seen.file), ("cgroup", seen.cgroup)] {
                #expect(!view.rows.isEmpty)
                #expect(view.interval.unattributedPages == 0)
                for (index, (what, whole)) in view.interval.pages.enumerated() {
                    let sum = view.rows.reduce(0) { $0 + ($1.pages[index].count ?? 0) }
                    #expect(sum == whole, "\(name) \(what)")
                    // each tool starts and stops in its turn: faults at either end differ
                    let total = try #require(seen.stat.pages[index].count)
                    #expect(abs(sum - total) <= 128 + total / 100, "\(name) \(what): \(sum), cachestat \(total)")
                }
            }
            let file = try seen.file.row(of: truth.path)
            #expect(file.inode?.value == truth.inode)
            #expect(file.device == "\(truth.deviceMajor):\(truth.deviceMinor)")
            #expect(abs((file.missPages ?? -1) - truth.missPagesExpected) <= 128)
            #expect(abs((file.dirtyPages ?? -1) - truth.dirtiedPagesExpected) <= 128)
        }

        @Test("two processes on one file: a row each, and one of the file")
        func twoProcesses() throws {
            let seen = try beside("--pattern two-procs"), asked = seen.truth.accessPages
            func busy(_ view: View) -> [CacheTopRow] { view.rows.filter { ($0.readAccessPages ?? 0) > asked / 3 } }
            let readers = busy(seen.process)
            #expect(readers.count == 2)
            #expect(Set(readers.compactMap(\.pid)).count == 2)
            let files = busy(seen.file)
            #expect(files.count == 1)
            #expect(abs((files.first?.readAccessPages ?? 0) - asked) <= asked / 50)
        }

        @Test("where nothing tells of accesses, misses are exact and hits unknown", .tags(.brief))
        func partial() throws {
            let seen = try beside("--pattern seq-read --cold", rung: "partial")
            let row = try seen.file.row(of: seen.truth.path)
            #expect(abs((row.missPages ?? -1) - seen.truth.missPagesExpected) <= 128)
            #expect(row.hitPages == nil && row.readHitRatio == nil)
        }

        @Test("a write to new pages hits nothing, one to cached pages hits all")
        func writeHits() throws {
            for (pattern, ratio) in [("--pattern write-new", 0.0), ("--pattern overwrite --warm", 1.0)] {
                let seen = try beside(pattern)
                let row = try seen.file.row(of: seen.truth.path)
                #expect(abs(try #require(row.writeHitRatio) - ratio) < 0.01)
                #expect(row.readHitRatio == nil)
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
            // a busy machine adds what of others' first faults was not counted
            #expect(result.lines.filter { !$0.hasPrefix("lost: ") }.count <= 2 * (2 + 3))
            #expect(try Tool.run(["cachetop", "--sort", "colour"]).status == 64)
        }

        @Test(
            "more files than a map holds: the rows and what is in none add up",
            .disabled(if: Live.inMatrix, "an emulated CPU takes minutes for it"))
        func overflow() throws {
            let directory = "\(Live.scratch)/swiftmem-files-\(getpid())"
            defer { _ = try? Tool.shell("rm -rf \(directory)") }
            _ = try Tool.shell("mkdir \(directory) && cd \(directory) && seq 40000 | split -l 1 -a 4 -")
            let tool = try Tool.tracing(["cachetop", "1000", "--comm", "cat"]).tool
            #expect(try Tool.shell("cd \(directory) && find . -type f | xargs cat | wc -l").lines == ["40000"])
            let view = try View(tool.stop()), interval = view.interval
            #expect(interval.unattributedPages > 40000 - 32768)
            #expect(interval.losses["map_full"] ?? 0 > 0)
            #expect(interval.readAccessPages ?? 0 >= 40000)
            func sum(_ pages: Int?...) -> Int { pages.reduce(0) { $0 + ($1 ?? 0) } }
            let ofRows = view.rows.reduce(0) {
                $0 + sum($1.readAccessPages, $1.faultAccessPages, $1.missPages, $1.dirtyPages)
            }
            let whole = sum(
                interval.readAccessPages, interval.faultAccessPages, interval.missPages, interval.dirtyPages)
            #expect(ofRows + interval.unattributedPages == whole)
        }

        @Test("only the files asked for")
        func files() throws {
            let tool = try Tool.tracing(["cachetop", "1000", "--by", "file", "--file", "*/libc*"]).tool
            _ = try Tool.shell("/bin/true")
            let rows: [CacheTopRow] = try tool.stop().rows()
            #expect(!rows.isEmpty)
            #expect(rows.allSatisfy { $0.file?.contains("/libc") == true })
        }
    }
}
