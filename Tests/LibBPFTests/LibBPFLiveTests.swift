// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibBPF
import TestObjects
import Testing

/// The library against the running kernel; its name puts it into the live tier.
@Suite(.serialized, .enabled(if: geteuid() == 0 || isRequired, "not root"))
struct LibBPFLiveTests {}

private let isRequired = ProcessInfo.processInfo.environment["SWIFTMEM_LIVE"] == "require"

/// struct ringtest_config of Tests/TestObjects/ringtest.bpf.c.
private struct FloodConfig {
    var pid: UInt32
    var syscall: UInt32
}

/// Its events.
struct FloodEvent {
    var number: UInt64
    var time: UInt64
}

/// asm/unistd_64.h and asm-generic/unistd.h
#if arch(x86_64)
    private let getppidNumber: UInt32 = 110
#else
    private let getppidNumber: UInt32 = 173
#endif

/// An object with its programs attached.
struct Attached: ~Copyable {
    // let go of in this order
    let links: LinkSet
    let object: LoadedObject

    /// Counts getppid() of this process, an event each.
    static func flood() throws(BPFError) -> Attached {
        let object = try OpenObject(image: TestImage.ringtest.bytes, name: "ringtest")
        try object.autoload(only: ["flood"])
        try object.setReadOnlyData(
            ".rodata.config", to: FloodConfig(pid: UInt32(getpid()), syscall: getppidNumber))
        let loaded = try object.load()
        var links = LinkSet()
        links.insert(try loaded.program("flood").attach())
        return Attached(links: links, object: loaded)
    }

    init(links: consuming LinkSet, object: consuming LoadedObject) {
        self.links = links
        self.object = object
    }
}

/// Tests/TestObjects/library.bpf.c, loaded.
func loadedLibrary(_ programs: Set<String> = ["packet", "look", "tasks"]) throws(BPFError) -> LoadedObject {
    let object = try TestImage.openLibrary()
    try object.autoload(only: programs)
    return try object.load()
}

/// A BPF file system of the test's own.
final class BPFFileSystem {
    let path = "/tmp/libbpf-tests-\(getpid())"

    init() throws {
        mkdir(path, 0o700)
        try #require(mount("bpf", path, "bpf", 0, nil) == 0)
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }
}
