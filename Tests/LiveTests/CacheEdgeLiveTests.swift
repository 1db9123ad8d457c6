// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// cachestat beside workload-cacheedges: uses of the page cache that are easily counted wrong.
    @Suite(.serialized, .exercises("cachestat")) struct CacheEdges {
        private static func rungs(of all: [String] = ["tracepoint", "fentry", "kprobe"]) throws -> [String] {
            try Rungs.here("cachestat", "reads", of: all)
        }

        /// Runs a case to its end under the trace of its process.
        private func trace(
            _ arguments: [String], rung: String, options: [String] = []
        ) throws -> (row: CacheStatRow, truth: CacheEdgeTruth) {
            let workload = try Workload.start("cacheedges", ["--dir", Live.scratch, "--wait"] + arguments)
            let pid = try #require(try workload.row(ReadyRow.self).pid)
            let (tool, start) = try Tool.tracing(
                ["cachestat", "1000", "-p", "\(pid)"] + options, rung: "cachestat=\(rung)")
            #expect(start.stands(options.isEmpty ? "reads" : "readahead", on: rung))
            workload.send("\n")
            let truth: CacheEdgeTruth = try workload.row()
            #expect(workload.finish().status == 0)
            return (try #require(try tool.stop().rows(CacheStatRow.self).last), truth)
        }

        /// To the page; but for what was not seen and said so, and the few pages of the program's own text.
        private func expectEqual(_ ours: Int?, _ truth: Int, _ what: String, _ row: CacheStatRow, own: Int = 0) {
            TestRecord.note("\(what) \(ours ?? -1)/\(truth)")
            #expect(abs((ours ?? -1) - truth) <= own + row.losses.total, "\(ours ?? -1) \(what), \(truth) true")
        }

        /// Files of 1 to 60 000 bytes in a directory of their own, the same on every machine.
        private func tree(_ count: Int, in directory: String) throws {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            for index in 0..<count {
                let size = 1 + index * 7919 % 60000
                try Data(repeating: UInt8(1 + index % 255), count: size)
                    .write(to: URL(fileURLWithPath: "\(directory)/\(index)"))
            }
        }

        @Test(
            "a cold tree, read as tar and grep read: blocks that don't lie on pages, ends of files", .tags(.brief),
            arguments: try rungs(), [10240, 65536])
        func tree(rung: String, block: Int) throws {
            let directory = "\(Live.scratch)/swiftmem-tree-\(getpid())"
            defer { try? FileManager.default.removeItem(atPath: directory) }
            try tree(Live.inMatrix ? 150 : 1000, in: directory)
            let (row, truth) = try trace(
                ["--case", "walk", "--path", directory, "--bs", "\(block)", "--count", "2"], rung: rung)
            #expect(truth.accessPages > 2 * truth.missPages - 1)
            expectEqual(row.readAccessPages, truth.accessPages, "accesses", row)
            expectEqual(row.missPages, truth.missPages, "misses", row, own: 64)
        }

        /// A file system made of a directory by a program, mounted while `body` runs, below overlayfs too.
        private func withImage(
            _ type: String, overlaid: Bool = false, made command: (_ source: String, _ image: String) -> String,
            _ body: (String) throws -> Void
        ) throws {
            let base = "\(Live.scratch)/swiftmem-\(type)-\(getpid())"
            try tree(40, in: "\(base)/source")
            try Data("hello\n".utf8).write(to: URL(fileURLWithPath: "\(base)/source/six-bytes"))
            try Data(repeating: 7, count: 1_100_001).write(to: URL(fileURLWithPath: "\(base)/source/large"))
            defer {
                let mounts = (overlaid ? ["over", "upper"] : []) + ["mounted"]
                _ = try? Tool.shell(mounts.map { "umount \(base)/\($0);" }.joined() + "rm -rf \(base)")
            }
            // what is written there lies in memory
            let overlay = """
                mkdir \(base)/over \(base)/upper
                mount -t tmpfs upper \(base)/upper
                mkdir \(base)/upper/files \(base)/upper/work
                modprobe -q overlay || true
                mount -t overlay over \(base)/over \
                    -o lowerdir=\(base)/mounted,upperdir=\(base)/upper/files,workdir=\(base)/upper/work
                """
            let made = try Tool.shell(
                """
                set -e
                \(command("\(base)/source", "\(base)/image")) >/dev/null
                modprobe -qa loop \(type) || true
                mkdir \(base)/mounted
                mount -t \(type) -o loop,ro \(base)/image \(base)/mounted
                \(overlaid ? overlay : "")
                """)
            guard made.status == 0 else { throw Live.lacking("no \(type) here: \(made.errors)") }
            try body("\(base)/\(overlaid ? "over" : "mounted")")
        }

        @Test(
            "squashfs: files that end within a block, with a buffer larger than they are", .tags(.brief),
            arguments: ["six-bytes", ""], [false, true])
        func squashfs(file: String, overlaid: Bool) throws {
            func command(source: String, image: String) -> String {
                "mksquashfs \(source) \(image) -noappend -quiet -no-progress"
            }
            try withImage("squashfs", overlaid: overlaid, made: command) { mounted in
                // the mount decides which rungs there are
                for rung in ["tracepoint_return", "fentry", "kprobe"] {
                    let report = try Tool.run(
                        ["doctor", "--json", "cachestat"], environment: ["SWIFTMEM_RUNG": "cachestat.reads=\(rung)"])
                    let reads = try report.rows(DoctorToolRow.self).first?.ladder("reads")
                    guard let taken = reads?.rung, isRung(taken, rung) else {
                        let reason = reads?.passedOver.first { isRung($0.rung, rung) }?.reason
                        ResultsFile.append(
                            "cachestat", "reads/\(rung)", "squashfs", .unsupported, reason ?? "not taken")
                        continue
                    }
                    let (row, truth) = try trace(
                        ["--case", "walk", "--path", "\(mounted)/\(file)", "--count", "5"], rung: rung)
                    expectEqual(row.readAccessPages, truth.accessPages, "accesses", row)
                    expectEqual(row.missPages, truth.missPages, "misses", row, own: 64)
                }
            }
        }

        @Test("EROFS: the same", arguments: try rungs())
        func erofs(rung: String) throws {
            try withImage("erofs", made: { "mkfs.erofs -zlz4 \($1) \($0)" }) { mounted in
                let (row, truth) = try trace(["--case", "walk", "--path", mounted, "--count", "2"], rung: rung)
                expectEqual(row.readAccessPages, truth.accessPages, "accesses", row)
                expectEqual(row.missPages, truth.missPages, "misses", row, own: 64)
            }
        }

        @Test(
            "splice between large reads of something else; two splices that end at one page; sendfile in odd pieces",
            arguments: try rungs(),
            [
                "--case splice-mixed --count 1000 --bs 1048576", "--case splice-overlap --count 100",
                "--case sendfile --bs 1000000",
            ])
        func splice(rung: String, arguments: String) throws {
            let (row, truth) = try trace(arguments.split(separator: " ").map(String.init), rung: rung)
            expectEqual(row.readAccessPages, truth.accessPages, "accesses", row)
            expectEqual(row.missPages, truth.missPages, "misses", row, own: 64)
        }

        @Test("io_uring, within a fiftieth", arguments: try rungs(), [4096, 65536])
        func uring(rung: String, block: Int) throws {
            let (row, truth) = try trace(["--case", "uring", "--bs", "\(block)"], rung: rung)
            let slack = truth.accessPages / 50
            expectEqual(row.readAccessPages, truth.accessPages, "accesses", row, own: slack)
            expectEqual(row.missPages, truth.missPages, "misses", row, own: 64)
        }

        @Test(
            "pages read ahead that are written: used, of large folios too; missed, by whichever call they came",
            .tags(.brief),
            arguments: try Rungs.here("cachestat", "readahead", of: ["tracepoint", "fentry"]),
            ["--case ahead-write", "--case ahead-overwrite", "--case ahead-overwrite --bs 4096"])
        func written(rung: String, arguments: String) throws {
            let words = arguments.split(separator: " ").map(String.init)
            let (row, truth) = try trace(words, rung: rung, options: ["--readahead"])
            expectEqual(row.missPages, truth.missPages, "misses", row, own: 64)
            expectEqual(row.readaheadUsedPages, truth.usedPages, "used", row, own: 32)
            expectEqual(row.readaheadDroppedPages, truth.droppedPages, "dropped", row, own: 32)
            #expect((row.writeAllocPages ?? -1) <= 8 + row.losses.total)
        }
    }
}
