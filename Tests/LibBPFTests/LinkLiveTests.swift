// SPDX-License-Identifier: Apache-2.0
import Glibc
import LibBPF
import Testing

extension LibBPFLiveTests {
    @Suite(.serialized) struct Links {
        @Test("letting go of a link detaches, of a set of them too")
        func detach() throws {
            let object = try loadedLibrary(["look", "tasks"])
            let shared: BPFMap<UInt32, UInt64> = try object.map("shared")
            func runs() throws(BPFError) -> UInt64 {
                _ = getppid()
                return try shared.value(for: 0) ?? 0
            }
            let program = try object.program("look")
            do {
                let link = try program.attach()
                #expect(try runs() > 0)
                _ = link.descriptor
            }
            let alone = try runs()
            #expect(try runs() == alone)
            do {
                var links = LinkSet()
                links.insert(try program.attach())
                links.insert(try object.program("tasks").attach())
                #expect(links.count == 2)
                #expect(try runs() > alone)
            }
            let after = try runs()
            #expect(try runs() == after)
        }

        @Test("the kernel tells which program a link is of")
        func info() throws {
            let object = try loadedLibrary(["look", "tasks"])
            let look = try object.program("look"), tasks = try object.program("tasks")
            let first = try look.attach(), second = try tasks.attach()
            let (one, two) = (try first.info(), try second.info())
            #expect(try one.programID == look.info().id)
            #expect(try two.programID == tasks.info().id)
            #expect(one.id != two.id)
        }

        /// Since 6.10 (kernel commit d4dfc5700e86) the link is what is registered with the tracepoint; before, the program.
        @Test("a program is attached twice to a raw tracepoint, or the second time is refused by name")
        func twice() throws {
            let program = try loadedLibrary(["look"]).program("look")
            let first = try program.attach()
            let id = try first.info().id
            if kernel >= (6, 10) {
                let second = try program.attach()
                #expect(try second.info().programID == first.info().programID)
                #expect(try second.info().id != id)
            } else {
                do throws(BPFError) {
                    _ = try program.attach()
                    Issue.record("attached twice")
                } catch {
                    #expect(error.code == EEXIST)
                    #expect(error.program == "look")
                }
            }
        }

        @Test("a pinned link stays attached until its file is gone")
        func pinning() throws {
            let files = try BPFFileSystem()
            let path = "\(files.path)/link"
            let object = try loadedLibrary(["look"])
            let shared: BPFMap<UInt32, UInt64> = try object.map("shared")
            func runs() throws(BPFError) -> UInt64 {
                _ = getppid()
                return try shared.value(for: 0) ?? 0
            }
            let program = try object.program("look")
            let link = try program.attach()
            let id = try link.info().id
            try link.pin(at: path)
            let first = try runs()
            #expect(try runs() > first)
            do {
                let again = try Link.pinned(at: path)
                #expect(try again.info().id == id)
            }
            let second = try runs()
            #expect(try runs() > second)
            #expect(unlink(path) == 0)
            // the kernel lets go of it a little later, in a thread of its own
            var isGone = false
            for _ in 0..<200 where !isGone {
                usleep(10_000)
                let last = try runs()
                isGone = try runs() == last
            }
            #expect(isGone)
            #expect(throws: BPFError.self) { _ = try Link.pinned(at: path) }
        }

        @Test("what is pinned and no link is not taken for one")
        func otherPin() throws {
            let files = try BPFFileSystem()
            try BPFMap<UInt32, UInt64>.create(.hash, name: "map", maxEntries: 1).pin(at: "\(files.path)/map")
            #expect(throws: BPFError.self) { _ = try Link.pinned(at: "\(files.path)/map") }
        }
    }
}
