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
            It starts in 35 ms as root; each report asks the kernel's iterators who holds what: 2 ms on a machine with \
            a hundred processes, 85 ms with ten thousand. Without rights it reads the files of /proc, which takes longer \
            on a large machine. It traces nothing, but with --unaccounted.
            """,
        seeAlso: ["free(1)", "proc(5)", "swiftmem-shmsnoop(8)", "swiftmem-memleak(8)"])
}
