// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemLayer
import SystemPackage
import Testing

@testable import Symbols

@Suite struct FileServerMounts {
    private let text = """
        22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
        30 22 0:25 / /home rw - btrfs /dev/vdb rw
        31 30 0:40 / /home/me/served rw,nosuid - fuse.sshfs me@x:/ rw,user_id=1000,group_id=1000
        32 22 0:41 / /srv rw - fuse.glusterfs x:/v rw,user_id=0,group_id=0,allow_other
        33 22 8:17 / /usb rw - fuseblk /dev/sdb1 rw,user_id=0,group_id=0
        34 22 0:42 / /home/me/a rw - tmpfs tmpfs rw
        35 34 0:43 / /home/me/a rw - fuse served rw,user_id=10000

        """

    @Test("a user's FUSE is served; root's is, where the namespace is not this one")
    func served() {
        let own = FileServers.Mounts(text, isOwn: true), other = FileServers.Mounts(text, isOwn: false)
        #expect(own.served == ["0:40", "0:43"])
        #expect(other.served == ["0:40", "0:41", "8:17", "0:43"])
        #expect(own.trusted == ["254:0", "0:25", "0:41", "8:17", "0:42"])
    }

    @Test("a path is in the deepest mount that its name lies in, of two at one point the later")
    func mount() {
        let mounts = FileServers.Mounts(text, isOwn: true)
        let device = { (path: FilePath) in mounts.mount(of: path)?.device }
        #expect(device("/usr/lib/debug/x") == "254:0" && device("/home/me") == "0:25" && device("/homely") == "254:0")
        #expect(device("/home/me/served/x") == "0:40" && device("/home/me/a") == "0:43")
        #expect(mounts.serves("/home/me/served") && mounts.serves("/home/me/a/b/c") && !mounts.serves("/home/me/other"))
        #expect(FileServers.Mounts("", isOwn: true).mount(of: "/x") == nil)
    }

    @Test("what a mapping is of: a disk, the kernel's shared memory, this machine's mounts, and what is none of them")
    func mappings() throws {
        func mapping(_ device: String, inode: Int = 7) throws -> Mapping {
            let line = "7f0c7000-7f0c9000 r-xp 00001000 \(device) \(inode)   /x"
            return try #require(Mapping(line: Array(line.utf8)[...]))
        }
        let servers = FileServers()
        #expect(try !servers.mayHang(mapping("fd:01"), pid: 1) && !servers.mayHang(mapping("00:00", inode: 0), pid: 1))
        // proc's own is mounted here, whatever its number; no device has the other
        let status = try #require(ProcessMaps.deviceOfProc)
        #expect(try !servers.mayHang(mapping(status), pid: 1))
        #expect(try servers.mayHang(mapping("00:fffff"), pid: 1) == FileServers.mayBeFUSE(minor: 0xfffff))
    }

    @Test("what is mounted nowhere may be FUSE's where nothing tells; a kernel without it has none")
    func unlisted() {
        #expect(!FileServers.mayBeFUSE(minor: 41, connections: "/nonexistent"))
        // of the same file system as what is above it: nothing is mounted there
        #expect(FileServers.mayBeFUSE(minor: 41, connections: "/proc/self"))
        #expect(!FileServers.mayBeFUSE(minor: 41, unlessKnown: false, connections: "/proc/self"))
        // a mount, whose entries tell
        #expect(
            FileServers.mayBeFUSE(minor: 1, connections: "/proc")
                && !FileServers.mayBeFUSE(minor: 0, connections: "/proc"))
    }
}

extension ProcessMaps {
    /// As maps would have it.
    fileprivate static var deviceOfProc: String? {
        var status = stat()
        guard stat("/proc", &status) == 0 else { return nil }
        return "00:" + String(status.st_dev & 0xff | status.st_dev >> 12 & 0xfff00, radix: 16)
    }
}
