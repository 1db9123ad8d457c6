// SPDX-License-Identifier: Apache-2.0
import LibBPF
import SystemLayer
import Testing

extension LibBPFLiveTests {
    @Suite struct KernelTypes {
        @Test("the kernel's types are read: functions, tracepoints, arguments")
        func types() throws {
            let btf = try KernelBTF()
            // #expect can't take a noncopyable apart
            let ids = [btf.functionID("vfs_read"), btf.functionID("no_such_function_here")]
            let exec = btf.tracepointArguments("sched_process_exec")
            let read = btf.functionArguments("vfs_read")
            let returns = ["vfs_read", "__free_pages"].map { btf.returnsValue($0) }
            #expect(ids[0] != nil)
            #expect(ids[1] == nil)
            #expect(exec?.first == "task_struct *")
            #expect(read == ["file *", "char *", "size_t", "loff_t *"])
            #expect(returns == [true, false])
        }

        @Test("an object loads by the few types it is about as by all")
        func subset() throws {
            let btf = try KernelBTF()
            let few = try btf.subset(for: TestImage.openLibrary())
            func tag(_ btf: String?) throws(BPFError) -> UInt64 {
                let object = try OpenObject(image: TestImage.library.bytes, name: "library", btf: btf)
                try object.autoload(only: ["tasks"])
                return try object.load().program("tasks").info().tag
            }
            #expect(try tag(few.path) == tag(nil))
        }
    }
}
