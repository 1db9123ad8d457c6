// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// What could hold a run up: a reader that does not read, a loader that does not load, a file that never opens.
    @Suite(.serialized, .exercises("memleak")) struct HeldUp {
        private let directory = "\(NSTemporaryDirectory())/held-up-\(UInt32.random(in: 0 ... .max))"

        init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }

        private func remove() { try? FileManager.default.removeItem(atPath: directory) }

        /// A program whose interpreter is this one.
        private func program(loadedBy loader: Fixture) throws -> String {
            let path = "\(directory)/program"
            let made = try Tool.shell(
                "echo 'int main(void) { return 0; }' | gcc -x c - -o \(path) -Wl,--dynamic-linker=\(loader.path())")
            try #require(made.status == 0, "\(made.errors)")
            return path
        }

        private func isRunning(_ pid: Int32) -> Bool {
            let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            return status.map { !$0.contains("State:\tZ") } ?? false
        }

        private func commandsPID(_ tool: Running) throws -> Int32 {
            while true {
                let words = try tool.line().split(separator: " ")
                if words.first == "Attaching", let pid = Int32(words[3].dropLast()) { return pid }
            }
        }

        @Test(
            "a loader that never ends: reports come, a signal ends the run and the command",
            arguments: [Fixture.loaderThatWaits, .loaderThatSpins])
        func loader(_ loader: Fixture) throws {
            defer { remove() }
            let tool = try Tool.start(["memleak", "-c", program(loadedBy: loader), "1"])
            let pid = try commandsPID(tool)
            for _ in 0..<2 { #expect(try tool.line().hasSuffix("Top 10 stacks with outstanding allocations:")) }
            #expect(isRunning(pid))
            let began = Date()
            let finished = tool.stop(SIGINT)
            #expect(finished.status == 0)
            #expect(Date().timeIntervalSince(began) < 5)
            #expect(!isRunning(pid))
        }

        @Test("a tracer that is killed takes its command with it, one that ends leaves it")
        func killed() throws {
            defer { remove() }
            func end(by signal: String) throws -> [String] {
                try Tool.shell(
                    """
                    "$SWIFTMEM" memleak -c sh 100 -- -c 'exec sleep 60 >/dev/null 2>&1' >\(directory)/\(signal) 2>&1 &
                    tool=$!
                    until grep -q ^hooked \(directory)/\(signal); do sleep 0.1; done
                    sleep \(Live.inMatrix ? 10 : 1)
                    pid=$(sed -n 's/^Attaching to pid \\([0-9]*\\),.*/\\1/p' \(directory)/\(signal))
                    grep -q '^State:.[SRDt]' /proc/$pid/status && echo traced
                    kill -\(signal) $tool; wait $tool 2>/dev/null; echo $?
                    sleep 0.5
                    grep -q '^State:.[SRD]' /proc/$pid/status 2>/dev/null && echo goes on
                    kill -KILL $pid 2>/dev/null; true
                    """
                ).lines.map { String($0) }
            }
            #expect(try end(by: "KILL") == ["traced", "137"])
            #expect(try end(by: "TERM") == ["traced", "0", "goes on"])
        }

        @Test("a reader that does not read: a signal ends the run, which says what it could not write")
        func reader() throws {
            defer { remove() }
            let finished = try Tool.shell(
                """
                mkfifo \(directory)/pipe; exec 3<>\(directory)/pipe
                "$SWIFTMEM" memleak -t -c 'ls -lR /usr/share' >\(directory)/pipe 3>&- & tool=$!
                sleep \(Live.inMatrix ? 20 : 3)
                kill -TERM $tool; wait $tool
                """)
            #expect(finished.status == 74)
            #expect(
                finished.errors.hasPrefix("swiftmem: the reader of the report has stopped reading: its last "),
                "\(finished.errors)")
        }

        @Test("standard descriptors that are closed stay nobody's")
        func closed() throws {
            let finished = try Tool.shell(
                """
                "$SWIFTMEM" memleak -c "sleep \(Live.inMatrix ? 20 : 4)" <&- >&- & sleep \(Live.inMatrix ? 10 : 2)
                readlink /proc/$!/fd/0 /proc/$!/fd/1; kill $!; wait $!; echo $?
                """)
            #expect(finished.lines == ["/dev/null", "/dev/null", "0"])
        }

        @Test("a FIFO named as type information is none")
        func fifo() throws {
            defer { remove() }
            let finished = try Tool.shell(
                "mkfifo \(directory)/btf && timeout 20 \"$SWIFTMEM\" oomkill -d 1 --btf \(directory)/btf")
            #expect(finished.status == 69)
            #expect(
                finished.errors
                    == "swiftmem: no type information (BTF) can be read from \(directory)/btf: it is no regular file\n")
        }

        @Test("too few files: said as such; the limit of a command stays its own")
        func files() throws {
            let few = try Tool.shell("ulimit -n 20; \"$SWIFTMEM\" oomkill -d 1")
            #expect(few.status == 71)
            #expect(
                few.errors
                    == "swiftmem: oomkill may open too few files: it needs 48\n  raise the limit: ulimit -n 1024\n")
            let own = try Tool.shell("ulimit -Sn 256; \"$SWIFTMEM\" memleak -c sh -- -c 'ulimit -Sn'")
            #expect(own.lines.contains("256"), "\(own.output)")
        }

        @Test("a table larger than the kernel makes: fewer entries are asked for")
        func table() throws {
            let finished = try Tool.run(["memleak", "--max-allocations", "\(1 << 28)", "-c", "true"])
            #expect(finished.status == 71)
            #expect(finished.errors.contains("  this kernel makes no map of so many entries: ask for fewer"))
        }
    }
}
