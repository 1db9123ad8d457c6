// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Symbols
internal import SystemLayer
internal import SystemPackage

extension UnwindCache {
    /// Removes the longest unused until the rest is within bounds.
    func evict(_ place: borrowing OwnedDescriptor) {
        // reading moves a descriptor: it gets its own
        guard let again = OwnedDescriptor(opened: openat(place.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
            var directory = Directory(again)
        else { return }
        var files: [(name: FilePath.Component, size: Int64, used: Int64)] = []
        while let entry = directory.next() {
            let name = entry.name
            var status = stat()
            guard name.withPlatformString({ fstatat(place.raw, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0,
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
            guard total > mostBytes || count > mostFiles else { break }
            if file.name.withPlatformString({ unlinkat(place.raw, $0, 0) }) == 0 {
                total -= file.size
                count -= 1
            }
        }
    }
}
