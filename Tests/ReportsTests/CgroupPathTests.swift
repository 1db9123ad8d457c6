// SPDX-License-Identifier: Apache-2.0
import Reports
import Testing

@Suite struct Cgroups {
    @Test("leaf-first names become a path")
    func leafFirst() {
        #expect(CgroupPath(leafFirst: Array("c\0b\0a\0".utf8)).path == "/a/b/c")
        #expect(CgroupPath(leafFirst: []).path == "/")
        #expect(CgroupPath(leafFirst: Array("x".utf8)).path == "/x")
    }

    @Test func below() {
        #expect(CgroupPath("/a/b").isBelow(CgroupPath("/a")))
        #expect(CgroupPath("/a").isBelow(CgroupPath("/a")))
        #expect(!CgroupPath("/ab").isBelow(CgroupPath("/a")))
        #expect(CgroupPath("/a").isBelow(CgroupPath("/")))
    }

    @Test("containers and units")
    func managers() {
        let id = String(repeating: "0123456789abcdef", count: 4)
        #expect(CgroupPath("/system.slice/docker-\(id).scope").manager == "container 0123456789ab")
        #expect(CgroupPath("/kubepods/burstable/pod1/\(id)").manager == "container 0123456789ab")
        #expect(CgroupPath("/system.slice/nginx.service").manager == "unit nginx.service")
        #expect(CgroupPath("/user.slice/user-0.slice/session-1.scope/x").manager == "unit session-1.scope")
        #expect(CgroupPath("/").manager == nil)
        #expect(CgroupPath("/oom").manager == nil)
    }
}
