// SPDX-License-Identifier: Apache-2.0

extension MemInfo {
    static let guide = Guide(
        examples: [
            .init("meminfo", "where the memory is now"),
            .init("meminfo 60", "a ledger a minute, with what has changed"),
            .init("meminfo --brief 1 10", "ten of them, the parts alone"),
            .init("meminfo --processes --files", "and who has it"),
            .init("meminfo --unaccounted 10 3", "whose pages the kernel has no counter for"),
            .init("meminfo --once --json", "for a program"),
        ],
        overhead: """
            A ledger reads some files of /proc and /sys, and the mappings and open files of each process: 20 ms on a \
            machine with 150 processes, five seconds at most. It attaches nothing.
            """,
        seeAlso: ["free(1)", "proc(5)", "swiftmem-shmsnoop(8)", "swiftmem-memleak(8)"])
}
