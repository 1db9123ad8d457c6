// SPDX-License-Identifier: Apache-2.0
import LibBPF
import TestObjects

/// The images of Tests/TestObjects: constants of this program.
enum TestImage {
    static var ringtest: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: ringtest_image(), count: ringtest_size())
    }
    static var library: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: library_image(), count: library_size())
    }

    /// Tests/TestObjects/library.bpf.c.
    static func openLibrary() throws(BPFError) -> OpenObject {
        try OpenObject(image: library.bytes, name: "library")
    }
}
