// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

/// Flags by the kernel's headers, bit by bit: what has a name has this one, and all others have none.
@Suite struct FlagBits {
    private func names(_ flags: FlagNames) -> [String] {
        (0..<32).flatMap { bit in flags.names(of: 1 << UInt32(bit)).map { "\(bit) \($0)" } }
            .filter { !$0.contains(" 0") }
    }

    @Test("shmget(2): include/uapi/linux/shm.h, ipc.h; permissions and what has no name in octal")
    func shmget() {
        #expect(
            names(.shmget) == [
                "9 IPC_CREAT", "10 IPC_EXCL", "11 SHM_HUGETLB", "12 SHM_NORESERVE", "26 SHM_HUGE_2B",
                "27 SHM_HUGE_4B", "28 SHM_HUGE_16B", "29 SHM_HUGE_256B", "30 SHM_HUGE_64KB", "31 SHM_HUGE_4GB",
            ])
        #expect(FlagNames.shmget.names(of: 0o777) == ["0777"])
        #expect(FlagNames.shmget.names(of: 1 << 25) == ["0200000000"])
        #expect(FlagNames.shmget.names(of: 1 << 26 | 1) == ["SHM_HUGE_2B", "01"])
    }

    @Test("shmat(2)")
    func shmat() {
        #expect(names(.shmat) == ["12 SHM_RDONLY", "13 SHM_RND", "14 SHM_REMAP", "15 SHM_EXEC"])
        #expect(FlagNames.shmat.names(of: 1 << 26) == ["0400000000"])
    }

    @Test("memfd_create(2): include/uapi/linux/memfd.h")
    func memfd() {
        #expect(
            names(.memfd).prefix(5) == [
                "0 MFD_CLOEXEC", "1 MFD_ALLOW_SEALING", "2 MFD_HUGETLB", "3 MFD_NOEXEC_SEAL", "4 MFD_EXEC",
            ])
        #expect(names(.memfd).count == 11)
        #expect(FlagNames.memfd.names(of: 0x20 | 21 << 26) == ["MFD_HUGE_2MB", "0x20"])
    }

    @Test("memfd_secret(2), seals of fcntl(2)")
    func secretAndSeals() {
        #expect(names(.secret) == ["19 FD_CLOEXEC"])
        #expect(
            names(.seals) == [
                "0 F_SEAL_SEAL", "1 F_SEAL_SHRINK", "2 F_SEAL_GROW", "3 F_SEAL_WRITE", "4 F_SEAL_FUTURE_WRITE",
                "5 F_SEAL_EXEC",
            ])
    }

    @Test("mmap(2): include/uapi/asm-generic/mman-common.h, mman.h; its type is a field of four bits")
    func mmap() {
        #expect(
            names(.mmap).prefix(16) == [
                "0 MAP_SHARED", "1 MAP_PRIVATE", "4 MAP_FIXED", "5 MAP_ANONYMOUS", "6 MAP_32BIT", "8 MAP_GROWSDOWN",
                "11 MAP_DENYWRITE", "12 MAP_EXECUTABLE", "13 MAP_LOCKED", "14 MAP_NORESERVE", "15 MAP_POPULATE",
                "16 MAP_NONBLOCK", "17 MAP_STACK", "18 MAP_HUGETLB", "19 MAP_SYNC", "20 MAP_FIXED_NOREPLACE",
            ])
        #expect(FlagNames.mmap.names(of: 4) == ["0x4"] && FlagNames.mmap.names(of: 5) == ["0x5"])
        #expect(FlagNames.mmap.names(of: 0x103) == ["MAP_SHARED_VALIDATE", "MAP_GROWSDOWN"])
        #expect(
            names(.protection) == [
                "0 PROT_READ", "1 PROT_WRITE", "2 PROT_EXEC", "24 PROT_GROWSDOWN", "25 PROT_GROWSUP",
            ])
    }

    @Test("open(2): include/uapi/asm-generic/fcntl.h, and what arm64 has in other places")
    func open() {
        #if arch(arm64)
            let own = ["14 O_DIRECTORY", "15 O_NOFOLLOW", "16 O_DIRECT", "17 O_LARGEFILE"]
        #else
            let own = ["14 O_DIRECT", "15 O_LARGEFILE", "16 O_DIRECTORY", "17 O_NOFOLLOW"]
        #endif
        #expect(
            names(.open) == [
                "0 O_WRONLY", "1 O_RDWR", "6 O_CREAT", "7 O_EXCL", "8 O_NOCTTY", "9 O_TRUNC", "10 O_APPEND",
                "11 O_NONBLOCK", "12 O_DSYNC",
            ] + own + ["18 O_NOATIME", "19 O_CLOEXEC", "20 O_SYNC", "21 O_PATH"])
        #expect(FlagNames.open.names(of: 3) == ["0x3"])
    }

    @Test("a huge page's size, from the smallest to the largest that its six bits can say")
    func sizes() {
        let said = [
            (1, "2B"), (9, "512B"), (10, "1KB"), (20, "1MB"), (39, "512GB"), (40, "1TB"), (50, "1PB"), (60, "1EB"),
        ]
        for (exponent, text) in said {
            #expect(FlagNames.memfd.names(of: UInt32(exponent) << 26) == ["MFD_HUGE_" + text])
        }
    }

    @Test("commands of shmctl(2) and fcntl(2)")
    func commands() {
        let shmctl = (0...20).compactMap { number in FlagNames.shmctlCommand(number).map { "\(number) \($0)" } }
        #expect(
            shmctl == [
                "0 IPC_RMID", "1 IPC_SET", "2 IPC_STAT", "3 IPC_INFO", "11 SHM_LOCK", "12 SHM_UNLOCK", "13 SHM_STAT",
                "14 SHM_INFO", "15 SHM_STAT_ANY",
            ])
        #expect(FlagNames.shmctlCommand(0x100) == "IPC_RMID|IPC_64" && FlagNames.shmctlCommand(0x200) == nil)
        let fcntl = (1030...1040).compactMap { number in FlagNames.fcntlCommand(number).map { "\(number) \($0)" } }
        #expect(fcntl == ["1033 F_ADD_SEALS", "1034 F_GET_SEALS"])
    }

    @Test("GFP flags: include/linux/gfp_types.h, include/trace/events/mmflags.h")
    func gfp() {
        #expect(
            (0..<32).map { GFPFlags(mask: 1 << $0).description } == [
                "GFP_DMA", "__GFP_HIGHMEM", "GFP_DMA32", "__GFP_MOVABLE", "__GFP_RECLAIMABLE", "__GFP_HIGH", "__GFP_IO",
                "__GFP_FS", "__GFP_ZERO", "0x200", "__GFP_DIRECT_RECLAIM", "GFP_NOWAIT", "__GFP_WRITE", "__GFP_NOWARN",
                "__GFP_RETRY_MAYFAIL", "__GFP_NOFAIL", "__GFP_NORETRY", "__GFP_MEMALLOC", "__GFP_COMP",
                "__GFP_NOMEMALLOC", "__GFP_HARDWALL", "__GFP_THISNODE", "__GFP_ACCOUNT", "0x800000", "0x1000000",
                "0x2000000", "0x4000000", "0x8000000", "0x10000000", "0x20000000", "0x40000000", "0x80000000",
            ])
        let combined: [(UInt32, String)] = [
            (0x1c24ca, "GFP_TRANSHUGE"), (0x1c20ca, "GFP_TRANSHUGE_LIGHT"), (0x100cc2, "GFP_HIGHUSER"),
            (0xc00, "GFP_NOIO"), (0x820, "GFP_ATOMIC"), (0xc20, "GFP_ATOMIC|__GFP_DIRECT_RECLAIM"),
        ]
        for (mask, text) in combined { #expect(GFPFlags(mask: mask).description == text) }
    }
}
