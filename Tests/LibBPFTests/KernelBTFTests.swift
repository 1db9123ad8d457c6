// SPDX-License-Identifier: Apache-2.0
import LibBPF
import Testing

/// Types as a file of BTF has them: an object's own.
@Suite struct KernelBTFFiles {
    static let path: String = {
        let directory = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        return "/\(directory)/TestObjects/objects/x86/library.bpf.o"
    }()

    @Test("functions, their arguments and results, structs")
    func types() throws {
        let btf = try KernelBTF(path: Self.path)
        // #expect can't take a noncopyable apart
        let found = ["packet", "look", "no_such_function"].map { btf.functionID($0) != nil }
        let arguments = [btf.functionArguments("packet"), btf.functionArguments("look"), btf.functionArguments("no")]
        let result = btf.functionResult("packet"), returns = btf.returnsValue("packet")
        let structs = ["bpf_iter_meta", "xdp_md", "nothing"].map { btf.hasStruct($0) }
        let tracepoint = btf.tracepointArguments("sys_enter"), id = btf.tracepointID("sys_enter")
        #expect(found == [true, true, false])
        #expect(arguments == [["xdp_md *"], ["void *"], nil])
        #expect(result == "int")
        #expect(returns)
        #expect(structs == [true, true, false])
        #expect(tracepoint == nil)
        #expect(id == nil)
    }

    @Test("what is no BTF is an error", arguments: ["/dev/null", "/nowhere/at/all", "/proc/self/exe"])
    func refused(path: String) {
        #expect(throws: BPFError.self) { _ = try KernelBTF(path: path) }
    }
}
