// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Symbols

extension UnwindCache {
    /// Removes the longest unused until the rest is within bounds.
    func evict(_ place: borrowing Descriptor) {
        // the stream closes its descriptor, and moves it
        let again = openat(place.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard again >= 0, let stream = fdopendir(again) else { return }
        defer { closedir(stream) }
        var files: [(name: BytePath, size: Int64, used: Int64)] = []
        while let entry = readdir(stream) {
            // SAFETY: readdir's name ends with a NUL, within the entry.
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { BytePath(String(cString: $0)) }
            }
            var status = stat()
            guard name.withCString({ fstatat(place.raw, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0,
                status.st_mode & S_IFMT == S_IFREG
            else { continue }
            files.append(
                (
                    name, Int64(status.st_size),
                    Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
                ))
        }
        var total = files.reduce(0) { $0 + $1.size }
        var count = files.count
        for file in files.sorted(by: { $0.used < $1.used }) {
            guard total > mostBytes || count > Self.mostFiles else { break }
            if file.name.withCString({ unlinkat(place.raw, $0, 0) }) == 0 {
                total -= file.size
                count -= 1
            }
        }
    }
}
