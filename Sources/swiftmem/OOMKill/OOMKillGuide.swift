// SPDX-License-Identifier: Apache-2.0

extension OOMKill {
    static let guide = Guide(
        examples: [
            .init("oomkill", "each kill as it happens, until Ctrl-C"),
            .init("oomkill --json -d 3600 >kills.jsonl", "an hour of them, for a program"),
            .init("oomkill --stack --cgroup /system.slice", "victims in services, and the allocation that ran out"),
            .init("oomkill --why", "with each kill, what led to it"),
            .init("oomkill --record /var/lib/swiftmem", "the same, and what leads to each is recorded"),
            .init("oomkill --explain latest", "what led to the last kill that was recorded there"),
            .init("oomkill --past", "the last kill by the kernel log, where nothing was recorded"),
        ],
        overhead: """
            Next to nothing between kills: its programs run when the kernel has run out of memory, which takes milliseconds \
            by itself, and a signal takes a tenth of a microsecond more. It starts in 60 ms, and holds 24 MB.
            """,
        seeAlso: ["dmesg(1)", "free(1)", "proc(5)", "cgroups(7)"])
}
