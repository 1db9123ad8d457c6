// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A directory that holds a program and musl, and nothing else; removed with its owner.
final class ContainerRoot {
    let path: String

    init(program: String) throws {
        path = "\(NSTemporaryDirectory())/memleak-root-\(UInt32.random(in: 0 ... .max))"
        for directory in ["lib", "usr/lib/debug/.build-id"] {
            try FileManager.default.createDirectory(atPath: "\(path)/\(directory)", withIntermediateDirectories: true)
        }
        try FileManager.default.copyItem(atPath: program, toPath: "\(path)/steps")
        #if arch(arm64)
            let machine = "aarch64"
        #else
            let machine = "x86_64"
        #endif
        try FileManager.default.copyItem(
            atPath: "/usr/lib/\(machine)-linux-musl/libc.so", toPath: "\(path)/lib/ld-musl-\(machine).so.1")
    }

    /// Starts the program in it; the pid is this side's.
    func start(_ contain: String) throws -> (Steps, pid: Int32) {
        let running = try Running(contain, [path, "/steps"])
        // one line is the container's, the other its first process's
        let lines = try [running.line(), running.line()]
        guard let contained = try lines.compactMap(ContainedRow.init(line:)).first,
            try lines.contains(where: { try ReadyRow(line: $0) != nil })
        else { throw HarnessError(description: "no container: \(lines)") }
        return (Steps(running), contained.pid)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
