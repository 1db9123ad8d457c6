// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct FileNames {
    private let mounts = MountTable(
        mountinfo: """
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            23 22 8:2 / /home\\040dir rw - ext4 /dev/sda2 rw
            24 22 8:2 /sub /mnt rw - ext4 /dev/sda2 rw
            25 22 0:22 / /proc rw - proc proc rw
            nonsense

            """)

    @Test("a path within a file system becomes one of this machine")
    func paths() {
        #expect(mounts.path("/etc/passwd", on: "8:1") == "/etc/passwd")
        #expect(mounts.path("/x", on: "8:2") == "/home dir/x")
        #expect(mounts.path("/sub/x", on: "8:2") == "/mnt/x")
        #expect(mounts.path("/subway", on: "8:2") == "/home dir/subway")
        #expect(mounts.path("/x", on: "9:9") == nil)
        #expect(MountTable(mountinfo: "").path("/x", on: "8:1") == nil)
    }

    @Test("device numbers as the kernel has them")
    func devices() {
        #expect(CachedFile(device: 0x0800001, inode: 5).device == "8:1")
        #expect(CachedFile(device: 0xfff_fffff, inode: 5).device == "4095:1048575")
    }

    @Test(
        "patterns",
        arguments: [
            ("*", "", true), ("*", "/a/b", true), ("/a/*", "/a/b/c", true), ("/a/?", "/a/b", true),
            ("/a/?", "/a/", false), ("*.log", "/var/x.log", true), ("*.log", "/var/x.log.1", false),
            ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false), ("[", "[", true), ("", "", true),
            ("", "x", false), ("\\*", "*", true), ("\\*", "x", false), ("*a*b*c*", "xxaxxbxxcxx", true),
            ("é?", "éx", true), ("*******b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ])
    func globs(pattern: String, text: String, expected: Bool) {
        #expect(Glob(pattern).matches(text) == expected)
    }
}
