// SPDX-License-Identifier: Apache-2.0
internal import CTracee
internal import Glibc
internal import LibBPF
internal import Reports
internal import Symbols
internal import SystemLayer
internal import SystemPackage

/// A command that is traced from before its first instruction to after its last.
final class Tracee {
    /// What it has come to.
    enum Change: Equatable {
        /// The libraries of a program are mapped, nothing of them has run; the command's own program is the first.
        case loaded(isFirst: Bool)
        /// It is about to go; its memory is still there.
        case exiting
        /// It is gone: the status that a shell would give, 128 and the signal's number for a signal.
        case exited(Int32)
    }

    /// How far it is with what runs before a program's first instruction.
    private enum Stage {
        /// Forked: nothing of the command has run.
        case forked
        /// Its loader maps libraries: stopped at each of its system calls.
        case loading(loader: UInt64, stops: Int)
        /// Its loader runs to the program's first instruction.
        case loadingTo(tracee_breakpoint)
        case running
        case gone
    }

    let pid: UInt32
    private var raw: tracee
    private let command: String
    private var stage = Stage.forked
    private var programs = 0

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
        var files = OpenFileLimit.inherited
        let constants = copies.map { UnsafePointer($0) }
        let code = constants.withUnsafeBufferPointer { buffer in
            // SAFETY: an array of NUL-terminated strings with NULL at its end, for the call.
            buffer.baseAddress.map { tracee_spawn($0, &files, output, &raw) } ?? -EINVAL
        }
        guard code == 0 else { throw .system("start \(command)", -code) }
        self.raw = raw
        self.command = command
        pid = UInt32(raw.pid)
    }

    // A command that has not begun never does; one that has goes on untraced.
    deinit {
        switch stage {
        case .gone: break
        case _ where programs == 0: tracee_kill(raw.pid)
        case .loadingTo(var breakpoint): tracee_detach(raw.pid, &breakpoint)
        default: tracee_detach(raw.pid, nil)
        }
        if raw.go >= 0 { close(raw.go) }
        close(raw.failure)
    }

    /// Lets the command begin: what it comes to, `next` tells.
    func start() { tracee_release(&raw) }

    /// Takes in what has happened to it, one thing at a time, and never waits: SIGCHLD tells when to ask.
    ///
    /// While its loader maps libraries, `mapped` is called at each system call on the way: nothing else runs yet.
    /// After `.exiting` it stands still until `go()`.
    ///
    /// - Returns: nil: nothing more for now.
    /// - Throws: `Failure`, exit status 126 or 127, where the command can't be run; what `mapped` throws.
    func next(_ mapped: () throws -> Void) throws -> Change? {
        while true {
            if case .gone = stage { return nil }
            let event = tracee_next(raw.pid)
            if event.change == TRACEE_NOTHING { return nil }
            if let change = try take(event, mapped) { return change }
        }
    }

    /// Has a program of it been loaded?
    var hasLoaded: Bool { programs > 0 }

    /// Lets it go on from `.exiting`.
    func go() { resume() }

    private func take(_ event: tracee_event, _ mapped: () throws -> Void) throws -> Change? {
        switch event.change {
        case TRACEE_EXECED: return try execed(mapped)
        case TRACEE_SYSCALL: return try systemCall(mapped)
        case TRACEE_SIGNALLED: return try signalled(event.value, mapped)
        case TRACEE_GROUP_STOP: tracee_listen(raw.pid)
        case TRACEE_EXITING:
            if case .forked = stage { resume() } else { return exiting() }
        case TRACEE_EXITED: return try gone(Int32(event.value))
        case TRACEE_KILLED: return try gone(128 + Int32(event.value))
        case TRACEE_LOST: return try gone(Failure.Status.system)
        default: resume()
        }
        return nil
    }

    private func exiting() -> Change {
        stage = .running
        return .exiting
    }

    private func gone(_ status: Int32) throws(Failure) -> Change {
        defer { stage = .gone }
        guard case .forked = stage else { return .exited(status) }
        let code = tracee_exec_failure(&raw)
        throw Failure(
            status: code == ENOENT ? 127 : 126,
            message: "\(Printable.text(command)): \(code == 0 ? "ended before it began" : errorText(code))")
    }

    /// Lets it go on from where it stands, with a signal or 0.
    private func resume(_ signal: Int32 = 0) {
        var isLoading = false
        if case .loading = stage { isLoading = true }
        tracee_continue(raw.pid, isLoading ? 1 : 0, signal)
    }

    private func loaded(_ mapped: () throws -> Void) throws -> Change {
        try mapped()
        stage = .running
        programs += 1
        resume()
        return .loaded(isFirst: programs == 1)
    }

    // MARK: from behind an exec to what is not the loader's

    private func execed(_ mapped: () throws -> Void) throws -> Change? {
        // AT_BASE: there is no loader in a static program
        guard let loader = auxiliary(7) else { return try loaded(mapped) }
        // musl's loader is its C library: where its system calls come from tells nothing. It runs no
        // constructor before the program's first instruction, AT_ENTRY.
        if isLibrary(loader), let entry = auxiliary(9) {
            var breakpoint = tracee_breakpoint()
            guard tracee_set_breakpoint(raw.pid, UInt(entry), &breakpoint) == 0 else { return try loaded(mapped) }
            stage = .loadingTo(breakpoint)
        } else {
            stage = .loading(loader: loader, stops: 0)
        }
        try mapped()
        resume()
        return nil
    }

    private func systemCall(_ mapped: () throws -> Void) throws -> Change? {
        guard case .loading(let loader, var stops) = stage else {
            resume()
            return nil
        }
        stops += 1
        stage = .loading(loader: loader, stops: stops)
        if stops >= 20_000 || !isIn(loader) { return try loaded(mapped) }
        // at a call's end, for then the file is mapped
        if stops % 2 == 0 { try mapped() }
        resume()
        return nil
    }

    private func signalled(_ signal: Int32, _ mapped: () throws -> Void) throws -> Change? {
        if case .loadingTo(var breakpoint) = stage, signal == SIGTRAP, tracee_reached(raw.pid, &breakpoint) == 1 {
            return try loaded(mapped)
        }
        resume(signal)
        return nil
    }

    /// Is the file at an address one that programs call malloc of?
    private func isLibrary(_ address: UInt64) -> Bool {
        guard let maps = try? ProcessMaps(pid: Int32(pid)), let mapping = maps.mapping(containing: address)
        else { return false }
        let name = mapping.path.description.split(separator: "/").last ?? ""
        return name.hasPrefix("ld-musl-") || name.hasPrefix("libc.")
    }

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
}
