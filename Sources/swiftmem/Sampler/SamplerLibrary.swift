// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The library that samples in a process (Sampler/).
enum SamplerLibrary {
    static let name = "libswiftmem-sampler.so"

    /// Beside the command, where it is installed, where it is built; nil: in none of these.
    static var path: String? {
        guard let resolved = realpath("/proc/self/exe", nil) else { return nil }
        // SAFETY: realpath gives a string of its own, which is freed once.
        defer { free(resolved) }
        return path(beside: String(cString: resolved)) { access($0, R_OK) == 0 }
    }

    /// - Parameter command: the command's own path.
    static func path(beside command: String, isThere: (String) -> Bool) -> String? {
        let parts = command.split(separator: "/").dropLast()
        func above(_ count: Int) -> String { parts.dropLast(count).map { "/" + $0 }.joined() }
        return [above(0), above(1) + "/lib/swiftmem", above(2) + "/sampler"].map { $0 + "/" + name }.first(
            where: isThere)
    }

    static var missing: Failure {
        Failure(
            status: Failure.Status.unavailable, message: "\(name) is not here",
            remedy: "looked beside swiftmem and in ../lib/swiftmem; make sampler builds it, make install installs it")
    }
}
