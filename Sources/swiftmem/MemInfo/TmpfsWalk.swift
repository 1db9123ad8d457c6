// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import SystemLayer
internal import SystemPackage

/// A mounted tmpfs.
struct TmpfsMount {
    /// Where this process finds it: below /proc/PID/root in another mount namespace.
    let directory: FilePath
    /// As its own namespace has it.
    let path: FilePath
    let isPosix: Bool
    /// nil: it does not tell.
    let bytes: UInt64?
}

/// Looks for the larger files of tmpfs mounts: of all of them together, no more names and no longer than a bound.
struct TmpfsWalk {
    struct File {
        let path: String
        let inode: UInt64
        let bytes: UInt64
    }

    private let time: TimeBudget
    private var namesLeft = 20_000
    private static let smallest: UInt64 = 1 << 20
    private static let deepest = 8

    init(time: TimeBudget) { self.time = time }

    /// Those of a mount that have a MiB or more.
    mutating func files(of mount: TmpfsMount, device: UInt64) -> [File] {
        var found: [File] = []
        var seen: Set<UInt64> = []
        var open: [(directory: FilePath, path: FilePath, depth: Int)] = [(mount.directory, mount.path, 0)]
        while let (directory, path, depth) = open.popLast() {
            guard var entries = Directory(directory) else { continue }
            while let entry = entries.next() {
                namesLeft -= 1
                guard namesLeft > 0, !time.isOver else { return found }
                let place = directory.appending(entry.name)
                var status = stat()
                // another file system's may be mounted there, or a link have come in its place
                guard place.withPlatformString({ lstat($0, &status) }) == 0, UInt64(status.st_dev) == device else {
                    continue
                }
                switch status.st_mode & S_IFMT {
                case S_IFDIR where depth < Self.deepest:
                    open.append((place, path.appending(entry.name), depth + 1))
                case S_IFREG where held(status) >= Self.smallest && seen.insert(UInt64(status.st_ino)).inserted:
                    let name = path.appending(entry.name).string
                    found.append(File(path: name, inode: UInt64(status.st_ino), bytes: held(status)))
                default: break
                }
            }
        }
        return found
    }
}

/// Bytes that a file occupies: st_blocks counts 512 each, on every file system.
func held(_ status: stat) -> UInt64 { UInt64(max(0, status.st_blocks)) &* 512 }
