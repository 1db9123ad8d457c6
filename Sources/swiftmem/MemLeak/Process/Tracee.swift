// SPDX-License-Identifier: Apache-2.0
internal import CTracee
internal import Glibc
internal import LibBPF
internal import Symbols
internal import SystemLayer
internal import SystemPackage

/// A command that is traced from before its first instruction to after its last.
final class Tracee {
    /// What it has come to.
    enum Change: Equatable {
        /// Its libraries are mapped, nothing of them has run.
        case loaded
        /// It is about to go; its memory is still there.
        case exiting
        /// It is gone: the status that a shell would give, 128 and the signal's number for a signal.
        case exited(Int32)
    }

    let pid: UInt32
    private var raw: tracee
    private let command: String
    private var isRunning = true
    /// What happened while its libraries were loaded, and is still to be answered.
    private var held: tracee_event?

    /// Forks; nothing of the command runs before `start`.
    ///
    /// - Parameter output: the descriptor that is the command's standard output.
    init(_ arguments: [String], output: Int32) throws(Failure) {
        guard let command = arguments.first, !command.isEmpty else {
            throw .usage("-c: which command?")
        }
        var copies: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        copies.append(nil)
        defer { for copy in copies { free(copy) } }
        var raw = tracee()
        let constants = copies.map { UnsafePointer($0) }
        let code = constants.withUnsafeBufferPointer { buffer in
            // SAFETY: an array of NUL-terminated strings with NULL at its end, for the call.
            buffer.baseAddress.map { tracee_spawn($0, output, &raw) } ?? -EINVAL
        }
        guard code == 0 else { throw .system("start \(command)", -code) }
        self.raw = raw
        self.command = command
        pid = UInt32(raw.pid)
    }

    // A command that was never let go leaves at the end of its pipe.
    deinit {
        if raw.go >= 0 { close(raw.go) }
        close(raw.failure)
    }

    /// Runs it up to where its loader has mapped all libraries, calling `mapped` at each
    /// system call on the way: the loader's own, for nothing else runs yet.
    func start(_ mapped: () throws -> Void) throws {
        tracee_release(&raw)
        while true {
            let event = tracee_wait(raw.pid, 0)
            switch event.change {
            case TRACEE_EXECED:
                try load(mapped)
                return
            case TRACEE_SIGNALLED: tracee_continue(raw.pid, 0, event.value)
            case TRACEE_GROUP_STOP: tracee_listen(raw.pid)
            case TRACEE_EXITED, TRACEE_KILLED, TRACEE_LOST:
                isRunning = false
                let code = tracee_exec_failure(&raw)
                throw Failure(
                    status: code == ENOENT ? 127 : 126,
                    message: "\(command): \(code == 0 ? "ended before it began" : errorText(code))")
            default: tracee_continue(raw.pid, 0, 0)
            }
        }
    }

    /// From behind an exec until a system call that is not the loader's.
    private func load(_ mapped: () throws -> Void) throws {
        try mapped()
        guard let loader = auxiliary(7) else {  // AT_BASE: there is no loader in a static program
            tracee_continue(raw.pid, 0, 0)
            return
        }
        if isLibrary(loader), let entry = auxiliary(9) {  // AT_ENTRY
            try loadToEntry(entry, mapped)
            return
        }
        var stops = 0
        while true {
            tracee_continue(raw.pid, 1, 0)
            let event = tracee_wait(raw.pid, 0)
            guard event.change == TRACEE_SYSCALL else {
                finishLoading(event)
                return
            }
            stops += 1
            guard stops < 20_000, stops % 2 == 0 || !isIn(loader) else { continue }
            if !isIn(loader) { break }
            try mapped()
        }
        try mapped()
        tracee_continue(raw.pid, 0, 0)
    }

    /// musl's loader is its C library: where its system calls come from tells nothing. It
    /// runs no constructor before the program's first instruction.
    private func loadToEntry(_ entry: UInt64, _ mapped: () throws -> Void) throws {
        var breakpoint = tracee_breakpoint()
        guard tracee_set_breakpoint(raw.pid, UInt(entry), &breakpoint) == 0 else {
            tracee_continue(raw.pid, 0, 0)
            return
        }
        var signal: Int32 = 0
        while true {
            tracee_continue(raw.pid, 0, signal)
            let event = tracee_wait(raw.pid, 0)
            guard event.change == TRACEE_SIGNALLED else {
                finishLoading(event)
                return
            }
            if event.value == SIGTRAP && tracee_reached(raw.pid, &breakpoint) == 1 { break }
            signal = event.value
        }
        try mapped()
        tracee_continue(raw.pid, 0, 0)
    }

    /// Is the file at an address one that programs call malloc of?
    private func isLibrary(_ address: UInt64) -> Bool {
        guard let maps = try? ProcessMaps(pid: Int32(pid)), let mapping = maps.mapping(containing: address)
        else { return false }
        let name = mapping.path.description.split(separator: "/").last ?? ""
        return name.hasPrefix("ld-musl-") || name.hasPrefix("libc.")
    }

    /// It did something else than load: what that is, `next` tells.
    private func finishLoading(_ event: tracee_event) { held = event }

    /// Is the stopped thread in the loader's file?
    private func isIn(_ loader: UInt64) -> Bool {
        // "nr arguments… sp pc", or "running"
        guard let text = ProcessFiles(pid).systemCall,
            let word = text.split(whereSeparator: \.isWhitespace).last, word.hasPrefix("0x"),
            let pc = UInt64(word.dropFirst(2), radix: 16), let maps = try? ProcessMaps(pid: Int32(pid)),
            let own = maps.mapping(containing: loader), let current = maps.mapping(containing: pc)
        else { return false }
        return own.inode == current.inode && own.path == current.path
    }

    /// A value of its auxiliary vector (getauxval(3)); nil where it is 0 or missing.
    private func auxiliary(_ type: UInt64) -> UInt64? {
        let entry = ProcessFiles(pid).auxiliaryVector.first { $0.type == type }
        return entry.flatMap { $0.value == 0 ? nil : $0.value }
    }

    /// Takes in what has happened to it, one thing at a time; nil: nothing more.
    ///
    /// After `.exiting` it stands still until `go()`.
    func next(_ mapped: () throws -> Void) throws -> Change? {
        while isRunning {
            let event = held ?? tracee_wait(raw.pid, 1)
            held = nil
            switch event.change {
            case TRACEE_NOTHING: return nil
            case TRACEE_EXECED:
                try load(mapped)
                return .loaded
            case TRACEE_EXITING: return .exiting
            case TRACEE_EXITED:
                isRunning = false
                return .exited(Int32(event.value))
            case TRACEE_KILLED:
                isRunning = false
                return .exited(128 + Int32(event.value))
            case TRACEE_LOST:
                isRunning = false
                return .exited(Failure.Status.system)
            case TRACEE_SIGNALLED: tracee_continue(raw.pid, 0, event.value)
            case TRACEE_GROUP_STOP: tracee_listen(raw.pid)
            default: tracee_continue(raw.pid, 0, 0)
            }
        }
        return nil
    }

    /// Ends it where it stands.
    func end() { kill(raw.pid, SIGKILL) }

    /// Lets it go on from `.exiting`.
    func go() { tracee_continue(raw.pid, 0, 0) }
}
