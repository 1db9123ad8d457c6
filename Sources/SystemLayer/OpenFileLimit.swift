// SPDX-License-Identifier: Apache-2.0
public import Glibc

/// How many files this process may have open (RLIMIT_NOFILE, getrlimit(2)).
public enum OpenFileLimit {
    /// As the parent left it, for commands that are run.
    public static let inherited: rlimit = current

    private static var current: rlimit {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : rlimit()
    }

    /// Raises it as far as this process may: each probe is an open file.
    public static func raise() {
        var limit = inherited
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// How many more may be opened. Asked by opening: what the limit says is less than what is left of it.
    ///
    /// - Parameter wanted: no more than these are tried.
    public static func room(_ wanted: Int) -> Int {
        var opened: [Int32] = []
        defer { for descriptor in opened { close(descriptor) } }
        while opened.count < wanted {
            let descriptor = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { break }
            opened.append(descriptor)
        }
        return opened.count
    }
}
