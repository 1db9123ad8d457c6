// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Where a report goes: readers that leave, full disks, terminals.
    @Suite(.serialized) struct Output {
        @Test("a reader that goes away ends it quietly, even when nothing happens")
        func closedPipe() throws {
            let result = try Tool.shell(
                "set -o pipefail; timeout 20 $SWIFTMEM oomkill | head -n 1; echo ${PIPESTATUS[0]}")
            #expect(result.lines == ["Tracing OOM kills... Ctrl-C to stop.", "0"])
            #expect(result.errors.isEmpty)
        }

        @Test("a full disk is said")
        func fullDisk() throws {
            let result = try Tool.shell("timeout 20 $SWIFTMEM cachestat 0.1 2 > /dev/full")
            #expect(result.status == 74)
            #expect(result.errors == "swiftmem: can't write the report: No space left on device\n")
        }

        @Test("a comm with escapes and newlines never reaches the terminal raw")
        func comm() throws {
            let tool = try Tool.start(["oomkill"])
            _ = try tool.line()
            let script = """
                import ctypes, os, time
                base = '/sys/fs/cgroup/memory' if os.path.isdir('/sys/fs/cgroup/memory') else '/sys/fs/cgroup'
                group = base + '/swiftmem-comm-%d' % os.getpid()
                os.mkdir(group)
                limit = 'memory.limit_in_bytes' if 'memory/' in group else 'memory.max'
                open(group + '/' + limit, 'w').write('8M')
                if os.path.exists(group + '/memory.swap.max'): open(group + '/memory.swap.max', 'w').write('0')
                child = os.fork()
                if child == 0:
                    open(group + '/cgroup.procs', 'w').write(str(os.getpid()))
                    ctypes.CDLL(None).prctl(15, b'a\\x1b[31m\\nb"c')
                    blocks = [bytearray(b'x') * (1 << 20) for _ in range(64)]
                    os._exit(0)
                os.waitpid(child, 0)
                time.sleep(0.2)
                os.rmdir(group)
                """
            _ = try Running(URL(fileURLWithPath: "/usr/bin/env"), ["python3", "-c", script]).finish()
            let result = tool.stop()
            #expect(result.output.contains("(\"a\\x1b[31m\\nb\"c\")"))
            #expect(!result.output.contains("\u{1b}"))
        }

        @Test("20 columns are enough for not crashing")
        func narrow() throws {
            let result = try Tool.shell("COLUMNS=20 $SWIFTMEM cachestat --help && COLUMNS=20 $SWIFTMEM cachestat 0.1 1")
            #expect(result.status == 0)
        }

        @Test("--strict is quiet when nothing was lost")
        func strict() throws {
            // of itself: on a busy machine what others do is lost now and then
            #expect(try Tool.run(["cachestat", "--strict", "-p", "\(getpid())", "0.1", "2"]).status == 0)
        }
    }
}
