// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The value of an environment variable; nil where it is not set.
public func environmentVariable(_ name: String) -> String? {
    // SAFETY: getenv's string is copied at once. The environment is changed only before the first thread and
    // the first run begin.
    getenv(name).map { String(cString: $0) }
}

/// Sets an environment variable for what reads it later in this process. To be called at the start only.
public func setEnvironmentVariable(_ name: String, to value: String) { setenv(name, value, 1) }
