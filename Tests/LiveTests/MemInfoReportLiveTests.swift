// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// What a report of meminfo has besides its parts, and how a run begins and ends.
extension LiveTests.MemInfo {
    @Test("without any right: the same sums; what root would add is said")
    func unprivileged() throws {
        let program = "\(Live.scratch)/swiftmem-unprivileged-\(getpid())"
        try FileManager.default.copyItem(atPath: Tool.binary.path, toPath: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        defer { try? FileManager.default.removeItem(atPath: program) }
        let held = try Workload.start("memholder", ["--kind", "memfd"])
        try held.row(MemHolderTruth.self)
        let finished = try Tool.shell(
            "cd / && for json in --json ''; do "
                + "setpriv --reuid 65534 --regid 65534 --clear-groups \(program) meminfo $json; done")
        try #require(finished.status == 0, "\(finished.errors)")
        let row = try #require(try finished.rows(MemInfoRow.self).first)
        #expect(row.addsUp)
        #expect((row.bytes("shmem_other") ?? 0) >= 64 << 20)
        #expect(row.bytes("memfd") == nil)
        #expect(finished.output.contains("as root it is"))
        let refused = try Tool.shell(
            "cd / && setpriv --reuid 65534 --regid 65534 --clear-groups \(program) meminfo --exact")
        #expect(refused.status == 77 && refused.errorLines.count == 2, "\(refused.errors)")
        held.send("\n")
        held.closeInput()
        #expect(held.finish().status == 0)
    }

    @Test("who holds it: a process with its share, a file of /dev/shm with its users, each cgroup", .tags(.brief))
    func holders() throws {
        let anon = try Workload.start("memholder", ["--kind", "anon", "--megabytes", "48"])
        let held = try anon.row(MemHolderTruth.self)
        let posix = try Workload.start("memholder", ["--kind", "posix", "--megabytes", "32"])
        let file = try posix.row(MemHolderTruth.self)
        let finished = try Tool.run(["meminfo", "--json", "--processes", "--files", "--cgroups", "--pss", "5"])
        for workload in [anon, posix] {
            workload.send("\n")
            workload.closeInput()
            #expect(workload.finish().status == 0)
        }
        let bytes = try #require(held.heldBytes)
        let process = try #require(try finished.rows(MemInfoProcessRow.self).first { $0.pid == held.pid })
        // its own program and stack besides
        #expect(process.anonBytes >= bytes - bytes / 100 && process.anonBytes <= bytes + 1 << 20)
        #expect(abs((process.ussBytes ?? 0) - bytes) <= 1 << 20)
        #expect((process.pssBytes ?? 0) >= process.ussBytes ?? .max)
        let named = try #require(
            try finished.rows(MemInfoFileRow.self).first { $0.name == "/dev/shm/swiftmem-held-\(file.pid)" })
        #expect(named.bytes == file.heldBytes && named.holders == 1 && named.pid == file.pid)
        #expect(named.part == "posix_shm")
        #expect(try finished.rows(MemInfoCgroupRow.self).contains { $0.path == "/" || $0.currentBytes != nil })
    }

    @Test("--numa: zones and nodes sum to MemTotal; watermarks in their order")
    func numa() throws {
        let finished = try Tool.run(["meminfo", "--json", "--numa"])
        let total = try #require(try finished.rows(MemInfoRow.self).first).totalBytes
        let zones = try finished.rows(MemInfoZoneRow.self)
        #expect(zones.reduce(0) { $0 + $1.managedBytes } == total)
        #expect(try finished.rows(MemInfoNodeRow.self).reduce(0) { $0 + $1.managedBytes } == total)
        #expect(zones.allSatisfy { $0.minBytes <= $0.lowBytes && $0.lowBytes <= $0.highBytes })
    }

    @Test("an interval and a count: one report at once, and changes in all others", .tags(.brief))
    func intervals() throws {
        let finished = try Tool.run(["meminfo", "--json", "0.2", "3"])
        #expect(finished.status == 0 && finished.errors.isEmpty)
        let rows = try finished.rows(MemInfoRow.self)
        #expect(rows.count == 3)
        #expect(rows.allSatisfy { $0.addsUp })
        #expect(rows.map { $0.unaccountedBytesPerSecond == nil } == [true, false, false])
        #expect(rows[0].parts.allSatisfy { $0.changeBytes == nil })
        for (before, after) in zip(rows, rows.dropFirst()) {
            for (then, now) in zip(before.parts, after.parts) {
                guard let change = now.changeBytes else { continue }
                #expect(change == (now.bytes ?? 0) - (then.bytes ?? 0), "\(now.name)")
            }
        }
        #expect(try finished.rows(MemInfoHintRow.self).count <= 9)
    }

    @Test("MemTotal is /proc/meminfo's, and every part has a name that the schema knows")
    func total() throws {
        let row = try ledger()
        let text = try String(contentsOfFile: "/proc/meminfo", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first)
        #expect(Int(line.split(whereSeparator: \.isWhitespace)[1]) == row.totalBytes >> 10)
        let names = Set(row.leaves.map(\.name))
        let wanted = """
            free free_percpu_lists anon file tmpfs sysv_shm posix_shm memfd shared_anonymous buffers swap_cache \
            slab_reclaimable slab_unreclaimable page_tables kernel_stack vmalloc percpu hugetlb zsmalloc cma balloon
            """
        #expect(names.isSuperset(of: wanted.split(separator: " ").map(String.init)))
    }

    @Test("SIGTERM in an interval brings a last report; a reader that goes away, a full disk, wrong usage")
    func ends() throws {
        let tool = try Tool.start(["meminfo", "--json", "1000"])
        try tool.row(MemInfoRow.self)
        let ended = tool.stop()
        #expect(ended.status == 0)
        #expect(try ended.rows(MemInfoRow.self).count == 2)
        let closed = try Tool.shell(
            "set -o pipefail; timeout 60 $SWIFTMEM meminfo 1 | head -n 1; echo ${PIPESTATUS[0]}")
        #expect(closed.lines.last == "0" && closed.errors.isEmpty)
        #expect(try Tool.shell("$SWIFTMEM meminfo > /dev/full").status == 74)
        #expect(try Tool.run(["meminfo", "0"]).status == 64)
        #expect(try Tool.run(["meminfo", "--once", "1", "2"]).status == 64)
        #expect(try Tool.run(["doctor", "meminfo"]).status == 0)
    }
}
