// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// What goes wrong for users, and what they are told.
    @Suite(.serialized) struct Unhappy {
        @Test("not root: the missing capabilities, and how to get them", arguments: ["oomkill", "cachestat"])
        func notRoot(tool: String) throws {
            let result = try Tool.shell("setpriv --reuid 65534 --regid 65534 --clear-groups $SWIFTMEM \(tool)")
            #expect(result.status == 77)
            #expect(result.errors.hasPrefix("swiftmem: \(tool) needs CAP_BPF and CAP_PERFMON\n"))
            #expect(result.errors.contains("sudo"))
            #expect(result.output.isEmpty)
        }

        @Test("doctor tells a user without rights what is missing")
        func doctorNotRoot() throws {
            let result = try Tool.shell("setpriv --reuid 65534 --regid 65534 --clear-groups $SWIFTMEM doctor")
            #expect(result.status == 77)
            #expect(result.output.contains("missing CAP_BPF and CAP_PERFMON"))
        }

        @Test("no type information: where to get it; a file that is none")
        func noBTF() throws {
            let without = try Tool.shell(
                "unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec $SWIFTMEM oomkill -d 0.1'")
            #expect(without.status == 69)
            #expect(
                without.errors.hasPrefix("swiftmem: this kernel has no type information (/sys/kernel/btf/vmlinux)\n"))
            #expect(without.errors.contains("pahole --btf_encode_detached"))
            let file = try Tool.run(["oomkill", "-d", "0.1", "--btf", "/etc/passwd"])
            #expect(file.status == 69)
            #expect(
                file.errors
                    == "swiftmem: no type information (BTF) can be read from /etc/passwd: it is of another format\n")
            let own = try Tool.run(["oomkill", "-d", "0.1", "--btf", "/sys/kernel/btf/vmlinux"])
            #expect(own.status == 0 && own.errors.isEmpty)
        }

        @Test("a forced rung that this kernel refuses: which, and why")
        func forced() throws {
            let result = try Tool.run(
                ["oomkill"],
                environment: ["SWIFTMEM_RUNG": "oomkill.victims=kprobe", "SWIFTMEM_KERNEL": "bare"])
            #expect(result.status == 69)
            #expect(result.errors.contains("tracepoint: kprobe is asked for"))
            #expect(result.errors.contains("kprobe: kprobe/mark_oom_victim: SWIFTMEM_KERNEL=bare refuses"))
            let unknown = try Tool.run(
                ["oomkill"], environment: ["SWIFTMEM_RUNG": "oomkill.victims=no-such-rung"])
            #expect(unknown.status == 64)
            #expect(
                unknown.errors == "swiftmem: SWIFTMEM_RUNG: oomkill.victims has no rung no-such-rung; "
                    + "it has tracepoint, fentry, kprobe\n")
        }

        @Test(
            "numbers that are none, or out of range",
            arguments: [
                ["0"], ["-1"], ["nan"], ["1e99"], ["x"], ["1", "0"], ["1", "-3"], ["1", "x"],
                ["-p", "0"], ["-p", "99999999"], ["-p", "x"], ["-d", "0"], ["1", "2", "3"], ["--nope"],
            ])
        func numbers(arguments: [String]) throws {
            let result = try Tool.run(["cachestat"] + arguments)
            #expect(result.status == 64)
            #expect(result.errors.contains("Usage: swiftmem cachestat"))
        }

        @Test("a process or a cgroup that is not there")
        func nobody() throws {
            let pid = try Tool.run(["cachestat", "-p", "4194304"])
            #expect(pid.status == 64)
            #expect(pid.errors == "swiftmem: no process or thread has the id 4194304\n")
            let cgroup = try Tool.run(["cachestat", "--cgroup", "/no/such\u{1b}[31mcgroup"])
            #expect(cgroup.status == 64)
            #expect(cgroup.errors == "swiftmem: --cgroup /no/such\\x1b[31mcgroup: no such cgroup\n")
        }

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

        @Test("SIGINT at any moment of the start ends it without a trace")
        func earlySignal() throws {
            for delay in [0, 1, 2, 5, 10, 20, 40] {
                let tool = try Tool.start(["cachestat", "1000"])
                usleep(UInt32(delay) * 1000)
                let result = tool.stop(SIGINT)
                // before its first instruction the default holds; from then on a clean end
                #expect(result.status == 0 || (delay < 10 && result.status == -SIGINT))
            }
        }

        @Test("two copies at once, both true")
        func twoCopies() throws {
            let (first, _) = try Tool.tracing(["oomkill"])
            let (second, _) = try Tool.tracing(["oomkill"])
            let truth = try Workload.truth("oomhog", ["--kills", "5"])
            for tool in [first, second] {
                let kills = tool.stop().objects(ofType: "oomkill").filter {
                    $0.text("cgroup") == truth.text("cgroup")
                }
                #expect(kills.count == 5)
            }
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

        @Test("a run under a tool's own name is that tool")
        func links() throws {
            let result = try Tool.shell(
                "d=$(mktemp -d) && ln -s $SWIFTMEM $d/cachestat && $d/cachestat 0.1 1; s=$?; rm -r $d; exit $s")
            #expect(result.status == 0)
            #expect(result.lines.count == 2)
        }

        @Test("--strict is quiet when nothing was lost")
        func strict() throws {
            #expect(try Tool.run(["cachestat", "--strict", "0.1", "2"]).status == 0)
        }

        @Test("20 columns are enough for not crashing")
        func narrow() throws {
            let result = try Tool.shell("COLUMNS=20 $SWIFTMEM cachestat --help && COLUMNS=20 $SWIFTMEM cachestat 0.1 1")
            #expect(result.status == 0)
        }
    }
}
