// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Synchronization

/// Where libbpf's own words go: the last lines of a call are kept for its error, and all of
/// them reach a handler where there is one. Without a handler nothing is printed.
public enum LibbpfLog {
    /// libbpf's levels, by its enum libbpf_print_level.
    public enum Level: Int32, Sendable { case warning = 0, information, debug }

    /// Hears every line from now on, on the thread of the call it is about; nil: nobody does.
    public static func route(to handler: (@Sendable (Level, String) -> Void)?) {
        LogRouter.shared.setHandler(handler)
    }
}

/// What libbpf says during one call. libbpf speaks on the calling thread, so calls of several
/// threads keep their words apart.
final class LibbpfWords {
    private var heard: [String] = []

    /// Warnings, and the tails of verifier logs.
    var lines: [String] { Array(heard.suffix(24)) }

    func capture<Result>(_ body: () -> Result) -> Result {
        LogRouter.shared.prepare()
        // SAFETY: this object outlives the body, and the one before it is put back behind it.
        let before = clibbpf_capture(Unmanaged.passUnretained(self).toOpaque())
        defer { clibbpf_capture(before) }
        return body()
    }

    fileprivate func hear(_ text: String) {
        heard += text.split(separator: "\n").suffix(16).map(String.init)
    }
}

/// Passes on what libbpf prints.
private final class LogRouter: Sendable {
    static let shared = LogRouter()

    private let handler = Mutex<(@Sendable (LibbpfLog.Level, String) -> Void)?>(nil)

    private init() {
        clibbpf_set_log { level, text, context in
            // SAFETY: libbpf's formatted text is NUL-terminated and lives through the call; the
            // context is the object whose `capture` this thread is in.
            let text = String(cString: text)
            let words = context.map { Unmanaged<LibbpfWords>.fromOpaque($0).takeUnretainedValue() }
            LogRouter.shared.pass(LibbpfLog.Level(rawValue: level) ?? .debug, text, words)
        }
    }

    /// Reached, so libbpf's words come here.
    func prepare() {}

    func setHandler(_ new: (@Sendable (LibbpfLog.Level, String) -> Void)?) {
        handler.withLock { $0 = new }
        clibbpf_hear_all(new == nil ? 0 : 1)
    }

    private func pass(_ level: LibbpfLog.Level, _ text: String, _ words: LibbpfWords?) {
        if level == .warning { words?.hear(text) }
        handler.withLock { $0 }?(level, text)
    }
}
