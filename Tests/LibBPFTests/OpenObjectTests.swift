// SPDX-License-Identifier: Apache-2.0
import LibBPF
import Testing

/// Objects that are parsed and set up; needs no privilege.
@Suite struct OpenObjects {
    @Test("programs and maps are as the object's file says")
    func contents() throws {
        let object = try TestImage.openLibrary()
        let programs = object.programs
        #expect(programs.map(\.name) == ["packet", "look", "tasks", "places"])
        #expect(programs.map(\.section) == ["xdp", "raw_tp/sys_enter", "iter/task", "uprobe"])
        #expect(
            programs.map(\.attachPoint) == [
                .other("xdp"), .rawTracepoint("sys_enter"), .iterator("task"), .userFunction(section: "uprobe"),
            ])
        #expect(programs.map(\.autoloads) == [true, true, true, false])
        #expect(programs.allSatisfy { $0.instructionCount > 0 })
        let shared = try object.map("shared"), tables = try object.map("tables")
        #expect(object.maps.map(\.name).starts(with: ["shared", "tables"]))
        #expect([shared.type, tables.type] == ["hash", "array_of_maps"])
        #expect([shared.keySize, shared.valueSize, shared.maxEntries] == [4, 8, 16])
        #expect([tables.keySize, tables.valueSize, tables.maxEntries] == [4, 4, 4])
    }

    @Test("an object does not need its image any more")
    func imageGone() throws {
        var image = Array(TestImage.library)
        let object = try OpenObject(image: image.span.bytes, name: "library")
        for index in image.indices { image[index] = 0xa5 }
        #expect(object.programs.map(\.name) == ["packet", "look", "tasks", "places"])
    }

    @Test("programs are chosen, maps are sized")
    func setUp() throws {
        let object = try TestImage.openLibrary()
        try object.autoload(only: ["look", "places"])
        #expect(object.programs.map(\.autoloads) == [false, true, false, true])
        try object.program("look").setAutoload(false)
        #expect(try object.program("look").autoloads == false)
        try object.map("shared").setMaxEntries(100)
        #expect(try object.map("shared").maxEntries == 100)
        try object.map("shared").setPreallocated(false)
        try object.map("tables").omit()
    }

    @Test("an unknown program, map or section, and a value of another size, is an error")
    func unknown() throws {
        let object = try OpenObject(image: TestImage.ringtest.bytes, name: "ringtest")
        #expect(throws: BPFError.self) { try object.program("nothing") }
        #expect(throws: BPFError.self) { try object.map("nothing") }
        #expect(throws: BPFError.self) { try object.setReadOnlyData(".rodata.nothing", to: UInt32(1)) }
        #expect(throws: BPFError.self) { try object.setReadOnlyData(".rodata.config", to: UInt32(1)) }
        try object.setReadOnlyData(".rodata.config", to: UInt64(1))
        do throws(BPFError) {
            _ = try object.program("nothing")
        } catch {
            #expect(error.operation == "find program nothing in ringtest")
            #expect(error.program == "nothing")
        }
    }

    @Test("garbage is refused with an error, not a crash")
    func garbage() {
        for bytes in [[UInt8](), [0x7f], Array("\u{7f}ELF garbage".utf8), [UInt8](repeating: 0xff, count: 4096)] {
            _ = #expect(throws: BPFError.self) { _ = try OpenObject(image: bytes.span.bytes, name: "garbage") }
        }
        let whole = TestImage.library
        for length in stride(from: 64, to: whole.count, by: 397) {
            _ = try? OpenObject(image: UnsafeRawBufferPointer(rebasing: whole[..<length]).bytes, name: "cut")
        }
    }
}
