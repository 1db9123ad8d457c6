// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// What a process, its files or the kernel can do to a tracer: a clear line each, in bounded time, no crash.
    @Suite(.serialized, .exercises("memleak")) struct MemLeakHostile {
        private func temporary(_ bytes: Data) throws -> String {
            let path = "\(NSTemporaryDirectory())/memleak-\(UInt32.random(in: 0 ... .max))"
            try bytes.write(to: URL(fileURLWithPath: path))
            return path
        }

        @Test("garbage mapped executable: passed over, the rest traced")
        func garbage() throws {
            let steps = try Steps(), real = try Fixture.steps.path()
            var whole = try Data(contentsOf: URL(fileURLWithPath: real))
            var mapped: [String] = []
            defer { for path in mapped { try? FileManager.default.removeItem(atPath: path) } }
            // no ELF at all; a header with noise behind it; an ELF file cut short; tables that point anywhere
            var generator = SystemRandomNumberGenerator()
            let noise = Data((0..<8192).map { _ in UInt8.random(in: 0...255, using: &generator) })
            mapped.append(try temporary(noise))
            mapped.append(try temporary(whole.prefix(64) + noise))
            mapped.append(try temporary(whole.prefix(whole.count / 2)))
            let sections = 0x28
            whole.replaceSubrange(sections..<(sections + 8), with: Data(repeating: 0xff, count: 8))
            mapped.append(try temporary(whole))
            mapped.append(try temporary(Data(count: 4096)))
            for path in mapped { try steps.step("map \(path)") }
            let tool = try MemLeakTool.follow(steps.pid)
            try steps.step("leak")
            let report = try MemLeakResult(tool.stop(SIGINT))
            steps.end()
            report.expect("leak_me", [50_000, 500])
            #expect(report.errors.isEmpty)
            report.expectWhole()
        }

        /// What a separate debug file of the program is to become.
        enum Damage: CaseIterable { case none, truncated, endlessTable, sparse }

        /// A stripped program in a container whose debug file is in the container's own /usr/lib/debug.
        @Test("a debug file cut short, one whose table is 2 GiB, one of 2 GiB", arguments: Damage.allCases)
        func debugFile(damage: Damage) throws {
            let contain = try Fixture.contain.path(), program = try Fixture.stepsMusl.path()
            let root = try ContainerRoot(program: program)
            let debug = "\(root.path)/debug"
            let made = try Tool.shell(
                """
                cd \(root.path) && objcopy --only-keep-debug steps debug && strip steps
                readelf -n steps | sed -n 's/.*Build ID: //p'
                """)
            #expect(made.status == 0, "\(made.errors)")
            let id = try #require(made.lines.first)
            try change(debug, damage)
            let directory = "\(root.path)/usr/lib/debug/.build-id/\(id.prefix(2))"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try FileManager.default.moveItem(atPath: debug, toPath: "\(directory)/\(id.dropFirst(2)).debug")

            let (steps, pid) = try root.start(contain)
            let began = Date()
            let tool = try MemLeakTool.follow(pid, ["--lines"])
            try steps.step("leak")
            let report = try MemLeakResult(tool.stop(SIGINT))
            let took = Date().timeIntervalSince(began)
            steps.end()
            let name = report.sum("leak_me")
            switch damage {
            case .none, .sparse: #expect(name == [50_000, 500])
            case .truncated, .endlessTable: #expect(name == [0, 0] || name == [50_000, 500])
            }
            // named or not, counted
            #expect(report.summary.outstandingCount == 500)
            #expect(report.summary.outstandingBytes == 50_000)
            #expect(took < (Live.inMatrix ? 60 : 10))
            report.expectWhole()
            TestRecord.note("leak_me \(name)")
        }

        private func change(_ path: String, _ damage: Damage) throws {
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            defer { try? file.close() }
            switch damage {
            case .none: break
            case .truncated:
                let size = try file.seekToEnd()
                try file.truncate(atOffset: size / 2)
            case .sparse: try file.truncate(atOffset: 2 << 30)
            case .endlessTable:
                var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
                let start = bytes.number(at: 0x28, bytes: 8), count = bytes.number(at: 0x3c, bytes: 2)
                for header in (0..<count).map({ start + $0 * 64 }) where bytes.number(at: header + 4, bytes: 4) == 2 {
                    bytes.replaceSubrange((header + 0x20)..<(header + 0x28), with: Data([0, 0, 0, 0x80, 0, 0, 0, 0]))
                }
                try bytes.write(to: URL(fileURLWithPath: path))
            }
        }

        @Test("another user's process, with CAP_BPF and CAP_PERFMON alone: traced, or the rights that are missing")
        func otherUser() throws {
            let steps = try Steps()
            let caps = "+bpf,+perfmon"
            let finished = try Tool.shell(
                "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps \(caps) --ambient-caps \(caps)"
                    + " $SWIFTMEM memleak -d 0.5 -p \(steps.pid)")
            steps.end()
            // since 6.15 CAP_PERFMON lets one read another's list of mappings
            if finished.status == 0 {
                #expect(finished.output.contains("hooked /"))
                #expect(finished.errors.isEmpty)
                return
            }
            #expect(finished.status == 77)
            #expect(
                finished.errors == """
                    swiftmem: process \(steps.pid) may not be looked at
                      run as root, or as the process's user with CAP_SYS_PTRACE

                    """)
        }

        @Test("a process that goes while it is being attached to")
        func goesMeanwhile() throws {
            for delay in stride(from: 0, to: Live.inMatrix ? 100 : 300, by: Live.inMatrix ? 50 : 25) {
                let target = try Running("/bin/sleep", ["100"])
                let tool = try Tool.start(["memleak", "-p", "\(target.pid)", "1000"])
                usleep(UInt32(delay) * 1000)
                _ = target.stop(SIGKILL)
                let finished = tool.finish()
                let gone = "swiftmem: no process has the id \(target.pid)\n"
                let zombie = "swiftmem: process \(target.pid) has ended (it is a zombie)\n"
                let meanwhile = "swiftmem: process \(target.pid) has ended\n"
                let ended = "pid \(target.pid) has ended\n"
                let none = "swiftmem: no allocator found in pid \(target.pid)\n"
                #expect(
                    (finished.status == 64 && [gone, zombie, meanwhile].contains(finished.errors))
                        || (finished.status == 0 && finished.errors == ended)
                        || (finished.status == 69 && finished.errors.hasPrefix(none)),
                    "\(delay) ms: \(finished.status) \(finished.errors)")
            }
        }

        @Test("a kernel that refuses every probe")
        func refused() throws {
            let steps = try Steps()
            let finished = try Tool.run(["memleak", "-p", "\(steps.pid)"], environment: ["SWIFTMEM_KERNEL": "bare"])
            steps.end()
            #expect(finished.status == 69)
            #expect(
                finished.errors.hasPrefix(
                    """
                    swiftmem: memleak can't see calls of allocators on this kernel
                      `swiftmem doctor` tells what works here and what would help

                    """))
        }

        @Test("a process with no allocator")
        func noAllocator() throws {
            let steps = try Steps()
            let finished = try Tool.run(["memleak", "-p", "\(steps.pid)", "-O", "/no/such/library"])
            steps.end()
            #expect(finished.status == 69)
            #expect(
                finished.errors == """
                    swiftmem: no allocator found in pid \(steps.pid) (-O /no/such/library)
                      looked for malloc and free in all its executable mappings; -O and --symbols-prefix say where and what else

                    """)
        }
    }
}

extension Data {
    /// A little-endian number.
    fileprivate func number(at offset: Int, bytes count: Int) -> Int {
        self[(startIndex + offset)..<(startIndex + offset + count)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
