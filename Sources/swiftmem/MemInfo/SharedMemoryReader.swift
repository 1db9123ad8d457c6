// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// Finds what holds shared memory: mounted tmpfs of every mount namespace, System V segments of every IPC namespace,
/// and files without a name by the processes that map them or have them open.
///
/// The kernel's iterators find these. Where they can't be used, /proc is read, within a time limit that is longer for the
/// first report; processes that held something in the last report come first.
struct SharedMemoryReader {
    /// Nanoseconds of CPU time that the next reading may take.
    private var budget: UInt64 = 5_000_000_000
    /// Device of the kernel's own tmpfs, as in /proc/PID/maps and as by stat(2).
    private let hidden: (text: String, number: UInt64)?
    private var holders: Set<UInt32> = []

    init() {
        let device = clinux_shared_memory_device()
        guard device >= 0 else {
            hidden = nil
            return
        }
        let major = UInt32(device >> 32), minor = UInt32(truncatingIfNeeded: device)
        hidden = (mapsDevice(major, minor), UInt64(makedev(major, minor)))
    }

    /// The state of one reading.
    private struct Finding {
        var result = SharedMemory()
        /// Devices of tmpfs as in /proc/PID/maps, with those of stat(2).
        var devices: [String: UInt64] = [:]
        /// By the device of stat(2).
        var mounts: [UInt64: TmpfsMount] = [:]
        var mountNamespaces: Set<UInt64> = []
        var ipcNamespaces: Set<UInt64> = []
        var objects: [FileKey: SharedMemory.Object] = [:]
        /// Processes that have a named file mapped or open.
        var users: [FileKey: (count: Int, pid: UInt32)] = [:]
        var holders: Set<UInt32> = []
    }

    private struct FileKey: Hashable {
        let device: UInt64
        let inode: UInt64
        /// System V segments: their inode numbers may be those of other files too.
        var kind: SharedMemory.Object.Kind?
    }

    /// - Parameter found: what the kernel's iterators have found; nil: they can't be used.
    mutating func read(_ found: KernelWalk.Found?) -> SharedMemory {
        var finding = Finding()
        if let hidden {
            finding.devices[hidden.text] = hidden.number
        }
        look(at: .own, isOwn: true, &finding)
        if let found, let files = found.files {
            for process in found.namespaces { look(at: process, &finding) }
            take(files, &finding)
        } else {
            readProcesses(&finding)
        }
        addNamedFiles(&finding)
        finding.result.objects = finding.objects.values.sorted { $0.bytes > $1.bytes }
        return finding.result
    }

    private mutating func readProcesses(_ finding: inout Finding) {
        let time = TimeBudget(nanoseconds: budget)
        budget = 250_000_000
        let all = ProcFS.processIDs()
        let ordered = all.filter { holders.contains($0) } + all.filter { !holders.contains($0) }
        for (index, pid) in ordered.enumerated() {
            // processes known to hold something are always looked at
            guard !time.isOver || holders.contains(pid) else {
                finding.result.skippedProcesses = ordered.count - index
                break
            }
            look(at: ProcessFiles(pid), isOwn: false, &finding)
            look(at: pid, &finding)
        }
        holders = finding.holders
    }

    /// The namespaces of a process, where they are new.
    private func look(at process: ProcessFiles, isOwn: Bool, _ finding: inout Finding) {
        if let mounts = process.namespace("mnt"), finding.mountNamespaces.insert(mounts).inserted {
            addMounts(process, isOwn: isOwn, &finding)
        }
        if let ipc = process.namespace("ipc"), finding.ipcNamespaces.insert(ipc).inserted {
            addSegments(process, isOwn: isOwn, &finding)
        }
    }

    /// The namespaces of a process, where they are new, as the iterator found them.
    private func look(at process: ProcessNamespaces, _ finding: inout Finding) {
        let files = ProcessFiles(process.pid)
        if finding.mountNamespaces.insert(process.mount).inserted { addMounts(files, isOwn: false, &finding) }
        if finding.ipcNamespaces.insert(process.ipc).inserted { addSegments(files, isOwn: false, &finding) }
    }

    /// Files that processes have open and mapped, as the iterators found them.
    private func take(_ files: [MemoryHolding], _ finding: inout Finding) {
        struct Use: Hashable {
            let pid: UInt32
            let address: UInt64
        }
        var seen: Set<Use> = []
        for file in files {
            let device = makedev(file.major, file.minor), isHidden = device == hidden?.number
            guard isHidden || finding.mounts[device] != nil,
                seen.insert(Use(pid: file.pid, address: file.address)).inserted
            else { continue }
            guard isHidden || file.links == 0 else {
                finding.users[FileKey(device: device, inode: file.inode), default: (0, file.pid)].count += 1
                continue
            }
            guard let kind = isHidden ? SharedMemory.kind(ofHidden: "/" + file.name) : .deleted else { continue }
            let key = FileKey(device: device, inode: file.inode, kind: kind)
            if finding.objects[key] == nil {
                finding.objects[key] = SharedMemory.Object(
                    kind: kind, name: Self.plain(Self.name(file), kind), bytes: file.bytes, holders: 0, pid: file.pid)
            }
            finding.objects[key]?.holders += 1
        }
    }

    /// A file's path, by a link of /proc that leads to it; where the link is gone, the last component.
    private static func name(_ file: MemoryHolding) -> String {
        let process = ProcessFiles(file.pid)
        let path =
            switch file.place {
            case .open(let descriptor): process.path("fd").appending(String(descriptor))
            case .mapped(let start, let end):
                process.path("map_files").appending(String(start, radix: 16) + "-" + String(end, radix: 16))
            }
        guard let name = readLink(path)?.string, name.contains(file.name) else { return "/" + file.name }
        return name
    }

    /// The path without the kernel's ` (deleted)`; of a memfd its name.
    private static func plain(_ name: String, _ kind: SharedMemory.Object.Kind) -> String {
        let plain = name.hasSuffix(" (deleted)") ? name.dropLast(10) : name[...]
        return String(kind == .memfd ? plain.dropFirst("/memfd:".count) : plain)
    }

    private func addMounts(_ process: ProcessFiles, isOwn: Bool, _ finding: inout Finding) {
        guard let text = readText(process.path("mountinfo")) else { return }
        let mounts = MountedFileSystem.parse(mountinfo: text)
        let byID = Dictionary(mounts.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for mount in mounts where mount.isShared {
            let numbers = mount.device.split(separator: ":").compactMap { UInt32($0) }
            guard numbers.count == 2 else { continue }
            let number = UInt64(makedev(numbers[0], numbers[1]))
            guard finding.mounts[number] == nil, number != hidden?.number,
                !mount.isBehindNetwork(byID, rootAnswers: isOwn)
            else { continue }
            let path = isOwn ? FilePath(mount.path) : process.path("root").pushing(FilePath(mount.path).removingRoot())
            let raw = path.withPlatformString { clinux_open_name($0) }
            guard raw >= 0 else { continue }
            let descriptor = OwnedDescriptor(owning: raw)
            var status = stat()
            // something else may be mounted over it
            guard fstat(descriptor.raw, &status) == 0, UInt64(status.st_dev) == number else { continue }
            let isPosix = mount.path.hasSuffix("/dev/shm")
            let used = clinux_used_bytes(descriptor.raw)
            finding.mounts[number] = TmpfsMount(
                directory: path, path: FilePath(mount.path), isPosix: isPosix, bytes: used < 0 ? nil : UInt64(used))
            finding.devices[mapsDevice(numbers[0], numbers[1])] = number
            guard used >= 0 else { continue }
            finding.result.mounts.append(.init(path: mount.path, bytes: UInt64(used), isPosix: isPosix))
        }
    }

    private func addSegments(_ process: ProcessFiles, isOwn: Bool, _ finding: inout Finding) {
        guard let text = isOwn ? readText("/proc/sysvipc/shm") : IPCNamespace.segments(of: process) else { return }
        let bytes = ShmSegment.parse(text).reduce(UInt64(0)) { $0 &+ min($1.rssBytes ?? 0, 1 << 52) }
        finding.result.systemVBytes = (finding.result.systemVBytes ?? 0) &+ bytes
    }

    /// Files that a process has mapped and open.
    private func look(at pid: UInt32, _ finding: inout Finding) {
        let process = ProcessFiles(pid)
        guard let maps = Self.maps(process) else {
            if process.exists { finding.result.unseenProcesses += 1 }
            return
        }
        // a thread of the kernel's has no mappings, and no files either
        guard !maps.isEmpty else { return }
        finding.result.seenProcesses += 1
        var seen: Set<FileKey> = []
        for mapping in SharedMapping.of(devices: Set(finding.devices.keys), in: maps) {
            guard let device = finding.devices[mapping.device] else { continue }
            if device != hidden?.number && !mapping.isDeleted {
                use(FileKey(device: device, inode: mapping.inode), pid, &seen, &finding)
            } else {
                add(process.path("map_files").appending(mapping.range), name: mapping.path, pid, &seen, &finding)
            }
        }
        guard var files = Directory(process.path("fd")) else { return }
        let paths = finding.mounts.values.map { $0.path.string + "/" }
        while let entry = files.next() {
            let path = process.path("fd").appending(entry.name)
            guard let target = readLink(path)?.string else { continue }
            if target.hasSuffix(" (deleted)") {
                add(path, name: target, pid, &seen, &finding)
            } else if paths.contains(where: { target.hasPrefix($0) }) {
                var status = stat()
                guard path.withPlatformString({ stat($0, &status) }) == 0 else { continue }
                use(FileKey(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)), pid, &seen, &finding)
            }
        }
    }

    /// A process uses a file that has a name.
    private func use(_ file: FileKey, _ pid: UInt32, _ seen: inout Set<FileKey>, _ finding: inout Finding) {
        guard finding.mounts[file.device] != nil, seen.insert(file).inserted else { return }
        finding.users[file, default: (0, pid)].count += 1
    }

    /// A file without a name, by a link of /proc that leads to it.
    private func add(
        _ link: FilePath, name: String, _ pid: UInt32, _ seen: inout Set<FileKey>, _ finding: inout Finding
    ) {
        var status = stat()
        guard link.withPlatformString({ stat($0, &status) }) == 0 else { return }
        let device = UInt64(status.st_dev), isHidden = device == hidden?.number
        guard isHidden || finding.mounts[device] != nil, status.st_mode & S_IFMT == S_IFREG else { return }
        // a file with a name is counted with its mount
        guard isHidden || status.st_nlink == 0 else { return }
        guard let kind = isHidden ? SharedMemory.kind(ofHidden: name) : .deleted else { return }
        finding.holders.insert(pid)
        let file = FileKey(device: device, inode: UInt64(status.st_ino), kind: kind)
        guard seen.insert(file).inserted else { return }
        finding.objects[file]?.holders += 1
        guard finding.objects[file] == nil else { return }
        finding.objects[file] = SharedMemory.Object(
            kind: kind, name: Self.plain(name, kind), bytes: held(status), holders: 1, pid: pid)
    }

    /// The larger files of the mounts, with who uses them.
    private func addNamedFiles(_ finding: inout Finding) {
        var walk = TmpfsWalk(time: TimeBudget(nanoseconds: 50_000_000))
        // the fullest first: there may not be time for all
        for (device, mount) in finding.mounts.sorted(by: { ($0.value.bytes ?? 0) > ($1.value.bytes ?? 0) }) {
            for file in walk.files(of: mount, device: device) {
                let key = FileKey(device: device, inode: file.inode)
                let users = finding.users[key]
                finding.objects[FileKey(device: device, inode: file.inode, kind: .tmpfs)] = SharedMemory.Object(
                    kind: mount.isPosix ? .posix : .tmpfs, name: file.path, bytes: file.bytes,
                    holders: users?.count ?? 0, pid: users?.pid)
            }
        }
    }

    private static func maps(_ process: ProcessFiles) -> [UInt8]? {
        guard let file = try? OpenFile(reading: process.path("maps")) else { return nil }
        // some 600 000 mappings: vm.max_map_count is 65 530
        return try? file.readAll(limit: 64 << 20)
    }

}

/// A device as /proc/PID/maps has it (fs/proc/task_mmu.c, `show_vma_header_prefix`): `%02x:%02x`.
private func mapsDevice(_ major: UInt32, _ minor: UInt32) -> String {
    func digits(_ number: UInt32) -> String {
        let text = String(number, radix: 16)
        return text.count < 2 ? "0" + text : text
    }
    return digits(major) + ":" + digits(minor)
}

private func makedev(_ major: UInt32, _ minor: UInt32) -> UInt64 {
    let major = UInt64(major), minor = UInt64(minor)
    return (major & 0xfff) << 8 | (major & ~0xfff) << 32 | minor & 0xff | (minor & ~0xff) << 12
}
