// SPDX-License-Identifier: Apache-2.0
import Testing

extension LiveTests {
    /// What the command needs of the machine it runs on.
    @Suite struct Linking {
        @Test("the command carries libbpf and elfutils with it")
        func archives() throws {
            let libraries = try Tool.shell("ldd '\(Tool.binary.path)'").lines
            #expect(libraries.contains { $0.contains("libc.so") })
            #expect(!libraries.contains { line in ["libbpf", "libelf", "libdw", "libz"].contains { line.contains($0) } })
        }
    }
}
