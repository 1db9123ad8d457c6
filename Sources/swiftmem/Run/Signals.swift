// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The signals that end a run, ask for a report or tell of a child: they are read, never delivered.
enum Signals {
    private static let handled = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD]

    static func set() -> sigset_t { set(handled) }

    /// Those that end a run.
    static func ending() -> sigset_t { set([SIGINT, SIGTERM, SIGHUP]) }

    private static func set(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }

    /// Blocks them, and turns a closed pipe's signal into an error of write().
    static func block() {
        var set = set()
        sigprocmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        // where a parent has left it ignored, the end of a child is not signalled
        signal(SIGCHLD, SIG_DFL)
    }
}
