// SPDX-License-Identifier: Apache-2.0
// example-task-list: all processes, their ids and names, as the kernel goes through them: by an iterator.
// The program is Examples/Objects/task_list.bpf.c.
import ExampleObjects
import Glibc
import LibBPF

do throws(BPFError) {
    let image = UnsafeRawBufferPointer(start: task_list.bytes, count: task_list.size)
    let open = try OpenObject(image: image.bytes, name: "task_list")
    // the types that the object is about, in place of all 150 000 that the kernel has: it loads sooner
    let types = try KernelBTF().subset(for: open)
    let object = try OpenObject(image: image.bytes, name: "task_list", btf: types.path).load()
    let text = try object.program("list_task").runIterator()
    print(String(decoding: text, as: UTF8.self), terminator: "")
    withExtendedLifetime(types) {}
} catch {
    // what to do about it is the caller's to say
    switch error.remedy {
    case .needsPrivilege: print("\(error): run it as root")
    case .missingOnThisKernel: print("\(error): needs Linux 5.8 with BTF")
    default: print(error, error.log.joined(separator: "\n"))
    }
    exit(1)
}
