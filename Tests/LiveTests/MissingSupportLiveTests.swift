// SPDX-License-Identifier: Apache-2.0
import Foundation
import SchemaSupport
import Testing

extension LiveTests {
    /// What users are told where rights, type information or a rung are missing.
    @Suite(.serialized) struct MissingSupport {
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
            // nothing is said of the kernel, which was not asked
            #expect(result.lines.first == "What works here can't be told: CAP_BPF and CAP_PERFMON are missing.")
            #expect(result.lines.last == "meminfo works: it tells less without hooks, and needs no rights.")
            #expect(result.lines.count == 3)
            let json = try Tool.shell("setpriv --reuid 65534 --regid 65534 --clear-groups $SWIFTMEM doctor --json")
            #expect(json.status == 77)
            for line in json.lines {
                #expect(RecordLine.findings(in: line) == [])
                let isTold = line.contains("doctor_machine") || line.contains(#""tool":"meminfo""#)
                #expect(line.contains(#""works":null"#) != isTold)
            }
        }

        /// Opens a file each twentieth of a second, and holds it: the kernel has something outstanding meanwhile.
        private static let opensFiles = """
            (for i in {1..600}; do exec {held}</dev/null; sleep 0.05; done) >/dev/null 2>&1 &
            trap "rm -rf $directory; kill -KILL $!" EXIT
            """

        /// A copy of the command with the file capabilities that its own remedy names.
        private func withFileCapabilities(_ capabilities: String, _ words: String, besides command: String = "true")
            throws
            -> Finished
        {
            try Tool.shell(
                """
                directory=$(mktemp -d) && trap 'rm -rf $directory' EXIT && chmod 755 $directory
                cp $SWIFTMEM $directory/swiftmem && setcap \(capabilities)+ep $directory/swiftmem && cd /
                \(command)
                setpriv --reuid 65534 --regid 65534 --clear-groups $directory/swiftmem \(words)
                """)
        }

        @Test(
            "with the capabilities that the remedy names, a user traces a command of their own",
            .exercises("memleak"))
        func fileCapabilities() throws {
            let finished = try withFileCapabilities("cap_bpf,cap_perfmon,cap_dac_read_search", "memleak -c true")
            #expect(finished.status == 0, "\(finished.errors)")
            #expect(finished.output.contains("hooked /"))
            let doctor = try withFileCapabilities("cap_bpf,cap_perfmon,cap_dac_read_search", "doctor oomkill")
            #expect(doctor.lines.contains("  without CAP_SYSLOG: functions of the kernel stay without names"))
        }

        @Test("kernel addresses that are hidden from a user stay hidden", .exercises("memleak", mode: "kernel"))
        func hiddenAddresses() throws {
            let finished = try withFileCapabilities(
                "cap_bpf,cap_perfmon", "memleak -a -o 0 1 3 --json",
                besides: Self.opensFiles)
            let stacks = try finished.rows(MemLeakRow.self)
            #expect(!stacks.isEmpty)
            let frames = stacks.flatMap { $0.frames ?? [] }
            #expect(!frames.isEmpty)
            #expect(frames.allSatisfy { $0.address.value == 0 && $0.symbol == nil })
            let blocks = try finished.rows(MemLeakSummaryRow.self).flatMap { $0.blocks ?? [] }
            #expect(!blocks.isEmpty)
            #expect(blocks.allSatisfy { $0.address.value == 0 && $0.bytes > 0 })
        }

        @Test(
            "what is not used any more is given up once the probes are attached",
            arguments: [
                ("oomkill", "0000008400000000"), ("cachestat", "0000008000000000"), ("swapin", "0000008000000000"),
                ("cachetop", "0000008000000000"), ("shmsnoop", "0000008000000000"), ("memstall", "0000008000000000"),
                ("memleak", "0000008400000000"), ("memleak -p", "000001c000080004"), ("growth -p", "000001c000080004"),
            ])
        func dropped(tool: String, capabilities: String) throws {
            let words = tool.split(separator: " ").map(String.init)
            let target = try Running("/bin/sleep", ["1000"])
            defer { target.signal(SIGKILL) }
            let (running, _) = try Tool.tracing(words + (words.count > 1 ? ["\(target.pid)"] : []))
            let status = try String(contentsOfFile: "/proc/\(running.pid)/status", encoding: .utf8)
            for set in ["CapPrm", "CapEff"] { #expect(status.contains("\(set):\t\(capabilities)\n")) }
            #expect(status.contains("NoNewPrivs:\t1\n"))
            #expect(running.stop().status == 0)
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
    }
}
