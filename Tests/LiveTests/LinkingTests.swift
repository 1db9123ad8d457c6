// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// What the command needs of the machine it runs on.
    @Suite struct Linking {
        @Test("the command carries libbpf and elfutils with it")
        func archives() throws {
            let needed = try Tool.shell("ldd '\(Tool.binary.path)'").output
            #expect(needed.contains("libc.so"))
            for library in ["libbpf", "libelf", "libdw", "libz"] { #expect(!needed.contains(library)) }
        }
    }
}
