// SPDX-License-Identifier: Apache-2.0
// example-uprobe-cookies: which functions of the C library this process calls how often, by one program at all of them.
// The program is Examples/Objects/uprobe_cookies.bpf.c.
import ExampleObjects
import Glibc
import LibBPF

let functions = ["getppid", "getuid", "getgid"]

do throws(BPFError) {
    let image = UnsafeRawBufferPointer(start: uprobe_cookies.bytes, count: uprobe_cookies.size)
    let object = try OpenObject(image: image.bytes, name: "uprobe_cookies").load()
    let program = try object.program("count_call")
    var links = LinkSet()
    for (cookie, function) in functions.enumerated() {
        let place = UprobeOptions(
            path: "libc.so.6", at: .symbol(function), pid: getpid(), cookie: UInt64(cookie))
        links.insert(try program.attach(uprobe: place))
    }

    for _ in 0..<3 { _ = getppid() }
    for _ in 0..<5 { _ = getuid() }

    let calls: BPFMap<UInt64, UInt64> = try object.map("calls")
    for (cookie, function) in functions.enumerated() {
        print(function, try calls.value(for: UInt64(cookie)) ?? 0)
    }
    withExtendedLifetime(links) {}
} catch {
    print(error)
    exit(1)
}
