// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import SystemLayer
internal import SystemPackage

/// Other IPC namespaces' System V segments.
enum IPCNamespace {
    /// The list of a process's namespace, as /proc/sysvipc/shm has it; nil where it may not be entered, or the process
    /// has ended. The file shows the namespace of whoever opens it: this process goes there and comes back.
    static func segments(of process: ProcessFiles) -> String? {
        guard let home = try? OpenFile(reading: ProcessFiles.own.path("ns/ipc")),
            let there = try? OpenFile(reading: process.path("ns/ipc")),
            clinux_enter_ipc_namespace(there.descriptor) == 0
        else { return nil }
        let text = readText("/proc/sysvipc/shm")
        // who may enter one may come back
        return clinux_enter_ipc_namespace(home.descriptor) == 0 ? text : nil
    }
}
