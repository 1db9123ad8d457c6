// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// Reads the sources of a ledger. It works without capabilities; with them it distinguishes more kinds of shared memory,
/// and sees the data in pipes, sockets and rings.
struct MachineReader {
    private let machine = Self.facts()
    private let kernel: KernelWalk?
    private var shared = SharedMemoryReader()
    /// The kernel folds its per-CPU counters first.
    let isExact: Bool

    /// - Parameter kernel: nil: the kernel's iterators can't be used.
    init(isExact: Bool, kernel: KernelWalk?) { (self.isExact, self.kernel) = (isExact, kernel) }

    /// - Throws: `Failure` where /proc tells nothing, or the kernel may not be asked to fold its counters.
    mutating func read() throws(Failure) -> MemoryLedger {
        // the slow part first: the counters below are to be of one moment
        let found = kernel?.look()
        let shared = shared.read(found)
        let pools = Self.hugePools()
        if isExact { try Self.fold() }
        let zones = ProcFS.text("zoneinfo")
        let meminfo = ProcFS.text("meminfo")
        let balloon = machine.balloonInTotal ? Self.balloon(ProcFS.text("vmstat")) : nil
        var reading = MemoryReading(
            time: .now, monotonic: monotonicNow(), meminfo: MeminfoFields(meminfo), zones: ZoneInfo(zones),
            hugePools: pools, shared: shared, machine: machine, balloonPages: balloon, isExact: isExact)
        if let found { reading.heldPages = found.pages }
        guard let ledger = MemoryLedger(reading) else {
            throw Failure(
                status: Failure.Status.unavailable, message: "/proc/meminfo does not tell how much memory there is",
                remedy: "is /proc mounted? mount -t proc proc /proc")
        }
        return ledger
    }

    /// Reading this file folds them (mm/vmstat.c, `vmstat_refresh`).
    private static func fold() throws(Failure) {
        do throws(FileError) {
            _ = try OpenFile(reading: "/proc/sys/vm/stat_refresh").readAll()
        } catch {
            // EINVAL: folded, and some counter is below 0 for a moment
            guard error.operation == "open" else { return }
            throw Failure(
                status: error.code == .noSuchFileOrDirectory ? Failure.Status.unavailable : Failure.Status.permission,
                message: "--exact: the kernel may not be asked to fold its counters: \(error.code)",
                remedy: "run it with sudo, or without --exact")
        }
    }

    private static func facts() -> MachineFacts {
        MachineFacts(
            pageBytes: UInt64(pageBytes),
            // the kernel's default on all machines that this runs on (CONFIG_VMAP_STACK)
            stacksInVmalloc: true,
            firstPerCPUBytes: KernelBootLog.firstPerCPUBytes(),
            zswapInZsmalloc: zswapInZsmalloc(),
            balloonInTotal: balloonInTotal())
    }

    /// Since Linux 6.18 zswap has no other allocator, and no parameter for it.
    private static func zswapInZsmalloc() -> Bool {
        (readOneLine("/sys/module/zswap/parameters/zpool") ?? "zsmalloc") == "zsmalloc"
    }

    /// A virtio balloon takes its pages out of MemTotal unless it gives them back when memory runs out
    /// (VIRTIO_BALLOON_F_DEFLATE_ON_OOM, bit 2); VMware's leaves them in.
    private static func balloonInTotal() -> Bool {
        guard var directory = Directory("/sys/bus/virtio/devices") else { return hasVMwareBalloon }
        while let entry = directory.next() {
            let device = FilePath("/sys/bus/virtio/devices").appending(entry.name)
            guard readOneLine(device.appending("device")) == "0x0005" else { continue }
            // a character a bit, the lowest first
            if readOneLine(device.appending("features"))?.dropFirst(2).first == "1" { return true }
        }
        return hasVMwareBalloon
    }

    private static var hasVMwareBalloon: Bool { access("/sys/module/vmw_balloon", F_OK) == 0 }

    private static func balloon(_ vmstat: String) -> UInt64? {
        var inflated: UInt64?, deflated: UInt64?
        for line in vmstat.split(separator: "\n") {
            if line.hasPrefix("balloon_inflate ") { inflated = UInt64(line.dropFirst(16)) }
            if line.hasPrefix("balloon_deflate ") { deflated = UInt64(line.dropFirst(16)) }
        }
        guard let inflated, let deflated else { return nil }
        return inflated - min(inflated, deflated)
    }

    private static let hugePages: FilePath = "/sys/kernel/mm/hugepages"

    private static func hugePools() -> [HugePagePool] {
        guard var directory = Directory(hugePages) else { return [] }
        var pools: [HugePagePool] = []
        while let entry = directory.next() {
            guard let bytes = HugePagePool.pageBytes(directory: entry.name.string) else { continue }
            let pool = hugePages.appending(entry.name)
            func number(_ name: String) -> UInt64? { readOneLine(pool.appending(name)).flatMap { UInt64($0) } }
            guard let pages = number("nr_hugepages"), let free = number("free_hugepages") else { continue }
            pools.append(
                HugePagePool(pageBytes: bytes, pages: pages, free: free, reserved: number("resv_hugepages") ?? 0))
        }
        return pools.sorted { $0.pageBytes < $1.pageBytes }
    }
}
