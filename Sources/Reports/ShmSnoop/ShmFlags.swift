// SPDX-License-Identifier: Apache-2.0

extension FlagNames {
    /// shmget(2); permission bits as octal digits.
    public static let shmget = FlagNames(
        [
            (0o1000, "IPC_CREAT"), (0o2000, "IPC_EXCL"), (0o4000, "SHM_HUGETLB"),
            (0o10000, "SHM_NORESERVE"),
        ], hugePrefix: "SHM_HUGE_", mode: true)

    /// shmat(2).
    public static let shmat = FlagNames(
        [(0o10000, "SHM_RDONLY"), (0o20000, "SHM_RND"), (0o40000, "SHM_REMAP"), (0o100000, "SHM_EXEC")],
        mode: true)

    /// memfd_create(2).
    public static let memfd = FlagNames(
        [
            (1, "MFD_CLOEXEC"), (2, "MFD_ALLOW_SEALING"), (4, "MFD_HUGETLB"), (8, "MFD_NOEXEC_SEAL"),
            (0x10, "MFD_EXEC"),
        ], hugePrefix: "MFD_HUGE_")

    /// renameat2(2).
    public static let rename = FlagNames([(1, "RENAME_NOREPLACE"), (2, "RENAME_EXCHANGE"), (4, "RENAME_WHITEOUT")])

    /// memfd_secret(2).
    public static let secret = FlagNames([(0x80000, "FD_CLOEXEC")])

    /// fcntl(2), F_ADD_SEALS and F_GET_SEALS.
    public static let seals = FlagNames([
        (1, "F_SEAL_SEAL"), (2, "F_SEAL_SHRINK"), (4, "F_SEAL_GROW"), (8, "F_SEAL_WRITE"),
        (0x10, "F_SEAL_FUTURE_WRITE"), (0x20, "F_SEAL_EXEC"),
    ])

    /// mmap(2), its protection.
    public static let protection = FlagNames([
        (1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC"), (0x1000000, "PROT_GROWSDOWN"),
        (0x2000000, "PROT_GROWSUP"),
    ])

    /// mmap(2), its flags (asm-generic; MAP_32BIT is x86's).
    public static let mmap = FlagNames(
        [
            (0x10, "MAP_FIXED"), (0x20, "MAP_ANONYMOUS"), (0x40, "MAP_32BIT"), (0x100, "MAP_GROWSDOWN"),
            (0x800, "MAP_DENYWRITE"), (0x1000, "MAP_EXECUTABLE"), (0x2000, "MAP_LOCKED"),
            (0x4000, "MAP_NORESERVE"), (0x8000, "MAP_POPULATE"), (0x10000, "MAP_NONBLOCK"),
            (0x20000, "MAP_STACK"), (0x40000, "MAP_HUGETLB"), (0x80000, "MAP_SYNC"),
            (0x100000, "MAP_FIXED_NOREPLACE"),
        ],
        fields: [
            Name(field: 0xf, value: 1, name: "MAP_SHARED"), Name(field: 0xf, value: 2, name: "MAP_PRIVATE"),
            Name(field: 0xf, value: 3, name: "MAP_SHARED_VALIDATE"),
        ], hugePrefix: "MAP_HUGE_")

    /// open(2); these four differ between the architectures.
    public static let open: FlagNames = {
        #if arch(arm64)
            let own: [(UInt32, String)] = [
                (0o40000, "O_DIRECTORY"), (0o100000, "O_NOFOLLOW"), (0o200000, "O_DIRECT"),
                (0o400000, "O_LARGEFILE"),
            ]
        #else
            let own: [(UInt32, String)] = [
                (0o200000, "O_DIRECTORY"), (0o400000, "O_NOFOLLOW"), (0o40000, "O_DIRECT"),
                (0o100000, "O_LARGEFILE"),
            ]
        #endif
        return FlagNames(
            [
                (0o100, "O_CREAT"), (0o200, "O_EXCL"), (0o400, "O_NOCTTY"), (0o1000, "O_TRUNC"),
                (0o2000, "O_APPEND"), (0o4000, "O_NONBLOCK"), (0o10000, "O_DSYNC"),
            ] + own + [
                (0o1000000, "O_NOATIME"), (0o2000000, "O_CLOEXEC"), (0o4000000, "O_SYNC"), (0o10000000, "O_PATH"),
            ],
            fields: [
                Name(field: 3, value: 1, name: "O_WRONLY"), Name(field: 3, value: 2, name: "O_RDWR"),
            ])
    }()

    /// `IPC_RMID`, with `IPC_64` where a 32-bit caller sets it; nil for a number without a name.
    public static func shmctlCommand(_ command: UInt32) -> String? {
        let name: String
        switch command & ~0x100 {
        case 0: name = "IPC_RMID"
        case 1: name = "IPC_SET"
        case 2: name = "IPC_STAT"
        case 3: name = "IPC_INFO"
        case 11: name = "SHM_LOCK"
        case 12: name = "SHM_UNLOCK"
        case 13: name = "SHM_STAT"
        case 14: name = "SHM_INFO"
        case 15: name = "SHM_STAT_ANY"
        default: return nil
        }
        return command & 0x100 != 0 ? name + "|IPC_64" : name
    }

    /// `F_ADD_SEALS` and `F_GET_SEALS`.
    public static func fcntlCommand(_ command: UInt32) -> String? {
        switch command {
        case 1033: "F_ADD_SEALS"
        case 1034: "F_GET_SEALS"
        default: nil
        }
    }
}
