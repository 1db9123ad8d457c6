// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// meminfo beside a workload that holds a known amount of one kind of memory.
    @Suite(.serialized, .exercises("meminfo")) struct MemInfo {
        /// - Parameters:
        ///   - bare: without the kernel's iterators.
        ///   - rung: of what tells the open files.
        func ledger(bare: Bool = false, rung: String? = nil) throws -> MemInfoRow {
            var environment = bare ? ["SWIFTMEM_KERNEL": "bare"] : [:]
            if let rung { environment["SWIFTMEM_RUNG"] = "meminfo.files=\(rung)" }
            // what CPUs count for themselves is folded first: else a counter lags by what the error says
            let finished = try Tool.run(
                ["meminfo", "--json", "--once", "--exact"], environment: environment)
            try #require(finished.status == 0, "\(finished.errors)")
            return try #require(try finished.rows(MemInfoRow.self).first)
        }

        private struct Moved {
            let before: MemInfoRow
            let after: MemInfoRow
            let truth: MemHolderTruth

            /// Unknown before is nothing: as root a part is not known where nothing of it was found.
            func part(_ name: String) -> Int { (after.bytes(name) ?? 0) - (before.bytes(name) ?? 0) }
            var remainder: Int { after.unaccountedBytes - before.unaccountedBytes }
        }

        private func move(_ kind: String, _ options: [String] = [], bare: Bool = false) throws -> Moved {
            let running = try Workload.start("memholder", ["--kind", kind, "--wait"] + options)
            try running.row(ReadyRow.self)
            let before = try ledger(bare: bare)
            running.send("\n")
            guard let truth = try? running.row(MemHolderTruth.self) else {
                let finished = running.finish()
                try #require(finished.status == 69, "\(finished.errors)")
                throw Unsupported(finished.errors.trimmingCharacters(in: .whitespacesAndNewlines))
            }
            let after = try ledger(bare: bare)
            running.send("\n")
            running.closeInput()
            #expect(running.finish().status == 0)
            #expect(before.addsUp && after.addsUp)
            return Moved(before: before, after: after, truth: truth)
        }

        /// Others on the machine take and give back memory meanwhile: the best of some tries is the tool's own.
        private func tried(
            _ kind: String, _ options: [String] = [], bare: Bool = false, fits: (Moved) -> Bool
        ) throws -> Moved {
            var moved = try move(kind, options, bare: bare)
            for _ in 0..<11 where !fits(moved) { moved = try move(kind, options, bare: bare) }
            return moved
        }

        @Test(
            "what is held moves its own row by its bytes within 1 %, and the remainder by none", .tags(.brief),
            arguments: [
                ("anon", "anon"), ("shared", "shared_anonymous"), ("memfd", "memfd"), ("posix", "posix_shm"),
                ("deleted", "shmem_deleted"), ("sysv", "sysv_shm"), ("tables", "page_tables"),
                ("pipes", "pipes"), ("sockets", "sockets"),
            ])
        func rows(kind: String, part: String) throws {
            func fits(_ moved: Moved) -> Bool {
                let held = moved.truth.heldBytes ?? 0
                return abs(moved.part(part) - held) <= held / 100 && abs(moved.remainder) <= held / 100
            }
            // every program on the machine has anonymous memory: more of it stands out of what others do
            let size = kind == "anon" && !Live.inMatrix ? ["--megabytes", "256"] : []
            let moved = try tried(kind, size, fits: fits)
            let held = try #require(moved.truth.heldBytes)
            TestRecord.note("\(part) \(moved.part(part)) of \(held), remainder \(moved.remainder)")
            #expect(abs(moved.part(part) - held) <= held / 100, "\(moved.part(part)) of \(held)")
            #expect(abs(moved.remainder) <= held / 100, "\(moved.remainder)")
        }

        @Test(
            "pipes and sockets on each rung", .tags(.brief),
            arguments: try Rungs.here("meminfo", "files", of: ["iterator", "unrolled"]), ["pipes", "sockets"])
        func files(rung: String, kind: String) throws {
            var seen: (row: Int, remainder: Int) = (0, 0)
            for _ in 0..<12 where abs(seen.row - (64 << 20)) + abs(seen.remainder) > 1 << 20 {
                let running = try Workload.start("memholder", ["--kind", kind, "--wait"])
                try running.row(ReadyRow.self)
                let before = try ledger(rung: rung)
                running.send("\n")
                guard (try? running.row(MemHolderTruth.self)) != nil else {
                    throw Unsupported(running.finish().errors)
                }
                let after = try ledger(rung: rung)
                running.send("\n")
                running.closeInput()
                #expect(running.finish().status == 0)
                seen = (
                    (after.bytes(kind) ?? 0) - (before.bytes(kind) ?? 0),
                    after.unaccountedBytes - before.unaccountedBytes
                )
            }
            TestRecord.note("\(rung): \(kind) \(seen.row), remainder \(seen.remainder)")
            #expect(abs(seen.row - (64 << 20)) <= 64 << 20 / 100)
            #expect(abs(seen.remainder) <= 64 << 20 / 100)
        }

        @Test("a file of another tmpfs is that mount's, by name")
        func mount() throws {
            let directory = "\(Live.scratch)/swiftmem-tmpfs-\(getpid())"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let mounted = try Tool.shell("mount -t tmpfs swiftmem \(directory)")
            guard mounted.status == 0 else { throw Live.lacking("no tmpfs can be mounted: \(mounted.errors)") }
            defer { _ = try? Tool.shell("umount \(directory)") }
            let moved = try tried("tmpfs", ["--directory", directory]) { abs($0.remainder) <= 64 << 20 / 100 }
            let held = try #require(moved.truth.heldBytes)
            #expect(abs(moved.part("tmpfs") - held) <= held / 100)
            #expect(abs(moved.remainder) <= held / 100)

            let file = "\(directory)/file"
            try Data(count: 8 << 20).write(to: URL(fileURLWithPath: file))
            let details = try Tool.run(["meminfo", "--json"]).rows(MemInfoDetailRow.self)
            #expect(details.first { $0.part == "tmpfs" && $0.name == directory }?.bytes == 8 << 20)
        }

        @Test(
            "a packet ring has a row by the kernel's iterators; without them the remainder grows by its bytes",
            .tags(.brief))
        func ring() throws {
            // where memory is in pieces its blocks come from vmalloc
            func grown(_ moved: Moved) -> Int { moved.remainder + moved.part("vmalloc") }
            let moved = try tried("ring", bare: true) { abs(grown($0) - (64 << 20)) <= 64 << 20 / 100 }
            let held = try #require(moved.truth.heldBytes)
            TestRecord.note("\(moved.remainder) of \(held)")
            #expect(abs(grown(moved) - held) <= held / 100)
            #expect(moved.after.unaccountedBytes > moved.after.unaccountedErrorBytes)
            #expect(moved.after.bytes("packet_rings") == nil && moved.after.bytes("pipes") == nil)

            func told(_ moved: Moved) -> Int { moved.part("packet_rings") + moved.part("vmalloc") }
            let seen = try tried("ring") {
                abs(told($0) - held) <= held / 100 && abs($0.remainder) <= held / 100
            }
            guard seen.after.bytes("packet_rings") != nil else { throw Unsupported("no type packet_sock") }
            TestRecord.note("packet_rings \(seen.part("packet_rings")), remainder \(seen.remainder)")
            #expect(abs(told(seen) - held) <= held / 100)
            #expect(abs(seen.remainder) <= held / 100)
        }

        @Test(
            "--unaccounted: what the remainder grew by, by stack, where no row has it", .tags(.brief),
            arguments: ["ring", "urings"])
        func hunted(kind: String) throws {
            func hunt() throws -> (MemInfoUnaccountedRow, MemHolderTruth, vmalloc: Int) {
                let running = try Workload.start("memholder", ["--kind", kind, "--wait"])
                try running.row(ReadyRow.self)
                let (tool, _) = try Tool.tracing(
                    ["meminfo", "--unaccounted", "1000"], rung: "meminfo.packet_rings=none")
                let before = try tool.row(MemInfoRow.self)
                running.send("\n")
                guard let truth = try? running.row(MemHolderTruth.self) else {
                    _ = tool.stop()
                    throw Unsupported(running.finish().errors)
                }
                let ended = tool.stop()
                running.send("\n")
                running.closeInput()
                #expect(running.finish().status == 0 && ended.status == 0)
                let row = try #require(try ended.rows(MemInfoUnaccountedRow.self).last)
                let after = try #require(try ended.rows(MemInfoRow.self).last)
                return (row, truth, (after.bytes("vmalloc") ?? 0) - (before.bytes("vmalloc") ?? 0))
            }
            func fits(_ row: MemInfoUnaccountedRow) -> Bool {
                row.growthBytes > 32 << 20 && abs(row.explainedBytes - row.growthBytes) <= row.growthBytes / 20
            }
            // others take and give back pages meanwhile
            var (row, truth, vmalloc) = try hunt()
            for _ in 0..<5 where !fits(row) { (row, truth, vmalloc) = try hunt() }
            TestRecord.note("explains \(row.explainedBytes) of \(row.growthBytes), vmalloc \(vmalloc)")
            #expect(fits(row), "\(row.explainedBytes) of \(row.growthBytes)")
            let stack = try #require(row.stacks.first)
            let function = kind == "ring" ? "packet_set_ring" : "io_uring_setup"
            #expect(stack.functions.contains { $0.contains(function) }, "\(stack.functions)")
            if kind == "ring", let held = truth.heldBytes {
                // where memory is in pieces some blocks come from vmalloc
                #expect(abs(stack.bytes + max(0, vmalloc) - held) <= held / 50, "\(stack.bytes) of \(held)")
            }
        }

        @Test(
            "who holds a memfd and a shared mapping is the same by the kernel's iterators and by /proc", .tags(.brief))
        func walks() throws {
            let workloads = try ["memfd", "shared"].map { try Workload.start("memholder", ["--kind", $0]) }
            let truths = try workloads.map { try $0.row(MemHolderTruth.self) }
            func files(bare: Bool) throws -> [MemInfoFileRow] {
                let finished = try Tool.run(
                    ["meminfo", "--json", "--files"], environment: bare ? ["SWIFTMEM_KERNEL": "bare"] : [:])
                return try finished.rows(MemInfoFileRow.self).filter { file in truths.contains { $0.pid == file.pid } }
                    .sorted { $0.part < $1.part }
            }
            let fast = try files(bare: false), slow = try files(bare: true)
            for workload in workloads {
                workload.send("\n")
                workload.closeInput()
                #expect(workload.finish().status == 0)
            }
            for found in [fast, slow] {
                #expect(found.map(\.part) == ["memfd", "shared_anonymous"])
                #expect(found.map(\.name) == ["swiftmem-held", "/dev/zero"])
                #expect(found.map(\.bytes) == truths.map { $0.heldBytes ?? 0 })
                #expect(found.allSatisfy { $0.holders == 1 })
            }
        }

        @Test("threads: their stacks once, and nothing in the remainder")
        func threads() throws {
            // THREAD_SIZE, on x86-64 and on arm64 with pages up to 16 KiB
            let stack = 16 << 10, count = Live.inMatrix ? 400 : 800
            func fits(_ moved: Moved) -> Bool {
                abs(moved.part("kernel_stack") - count * stack) <= count * stack / 100
                    && abs(moved.remainder) <= 1 << 20
            }
            let moved = try tried("threads", ["--threads", "\(count)"], fits: fits)
            TestRecord.note("\(moved.part("kernel_stack")), remainder \(moved.remainder)")
            #expect(abs(moved.part("kernel_stack") - count * stack) <= count * stack / 100)
            #expect(abs(moved.remainder) <= 1 << 20)
            // not twice: their memory is vmalloc's
            #expect(abs(moved.part("vmalloc")) <= count * stack / 10)
        }

        @Test("huge pages that are set aside, and those in use")
        func hugePages() throws {
            let pool = "/proc/sys/vm/nr_hugepages"
            guard let old = try? String(contentsOfFile: pool, encoding: .utf8) else {
                throw Live.lacking("no huge pages")
            }
            defer { try? old.write(toFile: pool, atomically: false, encoding: .utf8) }
            func number(_ name: String) throws -> Int {
                let text = try String(contentsOfFile: "/proc/meminfo", encoding: .utf8)
                let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + ":") })
                return try #require(Int(line.split(whereSeparator: \.isWhitespace)[1]))
            }
            let had = try number("HugePages_Total"), page = try number("Hugepagesize") << 10
            var grown = 0, remainder = Int.max
            // others take and give back memory meanwhile
            for _ in 0..<5 where abs(remainder) > 1 << 20 {
                try "\(had)".write(toFile: pool, atomically: false, encoding: .utf8)
                let before = try ledger()
                try "\(had + 32)".write(toFile: pool, atomically: false, encoding: .utf8)
                let got = try number("HugePages_Total") - had
                guard got > 0 else { throw Unsupported("no huge page is to be had") }
                let after = try ledger()
                grown = (after.bytes("hugetlb") ?? 0) - (before.bytes("hugetlb") ?? 0) - got * page
                remainder = after.unaccountedBytes - before.unaccountedBytes
            }
            #expect(grown == 0)
            #expect(abs(remainder) <= 1 << 20, "\(remainder)")
            let half = "\(max(1, (page * 16) >> 20))"
            let details = try withExtendedLifetime(
                try Workload.start("memholder", ["--kind", "hugetlb", "--megabytes", half, "--wait"])
            ) { running in
                try running.row(ReadyRow.self)
                running.send("\n")
                try running.row(MemHolderTruth.self)
                return try Tool.run(["meminfo", "--json"]).rows(MemInfoDetailRow.self)
            }
            let used = details.first { $0.name == "\(page >> 10) kB pages, used" }
            #expect((used?.bytes ?? 0) >= page * 16)
        }
    }
}
