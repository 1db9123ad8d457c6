// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

/// A program that prints lines up to `ready`, then lives until its standard input closes.
package final class Spawned {
    package let pid: Int32
    /// `name 0xaddress` lines.
    package private(set) var addresses: [String: UInt64] = [:]
    private var input: Int32
    private var reaped = false
    private static let spawning = Lock()

    package init(_ arguments: [String]) throws {
        // Close-on-exec, and one at a time, lest a program started by another test keeps our end open.
        Self.spawning.lock()
        defer { Self.spawning.unlock() }
        var toChild: [Int32] = [0, 0]
        var fromChild: [Int32] = [0, 0]
        try #require(pipe(&toChild) == 0)
        try #require(pipe(&fromChild) == 0)
        for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        argv.append(nil)
        defer { argv.forEach { free($0) } }
        var child: pid_t = 0
        let status = posix_spawnp(&child, arguments[0], &actions, nil, argv, environ)
        close(toChild[0])
        close(fromChild[1])
        input = toChild[1]
        pid = child
        try #require(status == 0, "\(arguments)")
        let output = try #require(fdopen(fromChild[0], "r"))
        defer { fclose(output) }
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, Int32(line.count), output) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                .split(whereSeparator: { $0 == " " || $0 == "\n" })
            if words == ["ready"] { return }
            if words.count == 2, let address = UInt64(words[1].dropFirst(2), radix: 16) {
                addresses[String(words[0])] = address
            }
        }
        Issue.record("\(arguments) ended before it was ready")
    }

    package func finish() {
        guard !reaped else { return }
        reaped = true
        close(input)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    deinit { finish() }
}

private final class Lock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    init() { pthread_mutex_init(mutex, nil) }
    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }
}
