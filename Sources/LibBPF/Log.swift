// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Synchronization

/// Where libbpf's own words go: its last lines are kept for errors, and all of
/// them reach the handler that a `--verbose` run installs.
public enum LibbpfLog {
    /// libbpf's levels, by its enum libbpf_print_level.
    public enum Level: Int32, Sendable { case warning = 0, information, debug }

    /// Hears every line from now on; nil: silence. Without a handler nothing is printed.
    public static func route(to handler: (@Sendable (Level, String) -> Void)?) {
        LogCapture.shared.setHandler(handler)
    }
}

/// The lines libbpf printed since the last call into it began.
final class LogCapture: Sendable {
    static let shared = LogCapture()

    private struct State {
        var lines: [String] = []
        var handler: (@Sendable (LibbpfLog.Level, String) -> Void)?
    }
    private let state = Mutex(State())

    private init() {
        clibbpf_set_log { level, text in
            // SAFETY: libbpf's formatted text is NUL-terminated and lives through the call.
            LogCapture.shared.hear(level, String(cString: text))
        }
    }

    /// Forgets what earlier calls said.
    func begin() { state.withLock { $0.lines.removeAll(keepingCapacity: true) } }

    /// Warnings, and the tails of verifier logs, of the call under way.
    var lines: [String] { state.withLock { Array($0.lines.suffix(24)) } }

    func setHandler(_ handler: (@Sendable (LibbpfLog.Level, String) -> Void)?) {
        state.withLock { $0.handler = handler }
    }

    private func hear(_ level: Int32, _ text: String) {
        let level = LibbpfLog.Level(rawValue: level) ?? .debug
        let handler = state.withLock { state in
            if level == .warning {
                state.lines += text.split(separator: "\n").suffix(16).map(String.init)
            }
            return state.handler
        }
        handler?(level, text)
    }
}
