// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct PathNames {
    private func path(_ inner: String, _ mountinfo: String) -> String? {
        let lines = mountinfo.split(separator: "\n").map { $0 + " rw,noatime - ext4 /dev/sda1 rw\n" }
        return MountTable(mountinfo: lines.joined()).path(inner, on: "8:1")
    }

    @Test("a line of mountinfo that lacks a field is none of the kernel's")
    func fields() {
        #expect(path("/x", "22 1 8:1 / /m") == "/m/x" && path("/x", "22 1 8:1 /") == nil)
    }

    @Test("the shortest of several paths, whatever their order; the first of two as short")
    func shortest() {
        let (long, short) = ("1 1 8:1 / /longer", "2 1 8:1 / /m")
        #expect(path("/x", long + "\n" + short) == "/m/x" && path("/x", short + "\n" + long) == "/m/x")
        #expect(path("/x", "1 1 8:1 / /a\n2 1 8:1 / /b\n") == "/a/x")
    }

    @Test("a part of a file system: its root itself, what is below, and not what only begins so")
    func roots() {
        let info = "1 1 8:1 /sub /mnt\n"
        #expect(path("/sub", info) == "/mnt" && path("/sub/x", info) == "/mnt/x")
        #expect(path("/subway", info) == nil && path("/other", info) == nil)
        #expect(path("/sub/x", "1 1 8:1 /sub /\n") == "/x")
    }

    @Test("three octal digits behind a backslash are a byte; fewer, or others, are what they are")
    func escapes() {
        for (point, text) in [
            ("/a\\040b", "/a b"), ("/a\\134", "/a\\"), ("/a\\04", "/a\\04"), ("/a\\", "/a\\"), ("/a\\089", "/a\\089"),
            ("/\\303\\251", "/é"), ("/a\\400", "/a\\400"), ("/a\\0401", "/a 1"),
        ] { #expect(path("/x", "1 1 8:1 / \(point)\n") == text + "/x", "\(point)") }
    }

    @Test("containers are told by 64 hexadecimal digits, no more and no fewer")
    func containers() {
        let id = String(repeating: "0123456789abcdef", count: 4)
        for (name, isOne) in [
            (id, true), ("docker-\(id).scope", true), ("cri-o-\(id)", true), (String(id.dropLast()), false),
            (id + "0", false), ("g" + id.dropFirst(), false),
        ] { #expect((CgroupPath("/a/\(name)").manager == "container 0123456789ab") == isOne, "\(name)") }
        #expect(CgroupPath("/\(id)/inner.service").manager == "container 0123456789ab")
        #expect(CgroupPath("/a.service/b.scope/c").manager == "unit b.scope" && CgroupPath("/a").manager == nil)
    }

    @Test("a cgroup is below itself and its parents, not beside them")
    func below() {
        let path = CgroupPath("/a/b")
        #expect(path.isBelow(CgroupPath("/")) && path.isBelow(CgroupPath("/a")) && path.isBelow(path))
        #expect(!path.isBelow(CgroupPath("/a/bc")) && !path.isBelow(CgroupPath("/a/b/c")))
        #expect(!CgroupPath("/ab").isBelow(CgroupPath("/a")))
        #expect(CgroupPath(leafFirst: Array("b\0a\0".utf8)).path == "/a/b" && CgroupPath(leafFirst: []).path == "/")
    }

    @Test("device numbers: 12 bits and 20 bits")
    func devices() {
        #expect(
            CachedFile(device: 1 << 20, inode: 1).device == "1:0"
                && CachedFile(device: 0xfffff, inode: 1).device == "0:1048575")
        #expect(CachedFile(device: 0x10_0001, inode: 1).device == "1:1")
    }

    @Test("a use of a file: which one it is, where that is known; whether its path is whole")
    func uses() {
        var key = cachetop_key()
        (key.pid, key.device, key.inode) = (7, 0x80_0001, 5)
        var entry = cachetop_entry()
        (entry.uid, entry.flags, entry.cgroup) = (3, 2, 9)
        let use = CacheTopUse(key: key, entry: entry)
        #expect(use.key.file == CachedFile(major: 8, minor: 1, inode: 5) && use.key.pid == 7 && use.uid == 3)
        #expect(use.fileState == .blockDevice && use.cgroup == 9)
        key.device = CACHETOP_NO_FILE
        #expect(CacheTopUse(key: key, entry: entry).key.file == nil)
        var path = cachetop_path()
        #expect(!CachedFilePath(cachetop_file(), path).isCut && CachedFilePath(cachetop_file(), path).text == nil)
        path.cut = 1
        #expect(CachedFilePath(cachetop_file(), path).isCut)
    }
}
