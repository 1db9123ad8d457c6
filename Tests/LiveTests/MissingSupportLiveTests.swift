// SPDX-License-Identifier: Apache-2.0
import Foundation
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
    }
}
