// SPDX-License-Identifier: Apache-2.0

extension CacheTop {
    static let guide = Guide(
        examples: [
            .init("cachetop", "processes, full screen; ? helps, q quits"),
            .init("cachetop --by file --sort MISSES", "which files are read from storage"),
            .init("cachetop --by cgroup --batch 10 6", "a minute of tables, a row for each service"),
            .init("cachetop --json 5 1", "the same for a program, once"),
        ],
        overhead: """
            An access adds 50 to 80 ns to a cached read of 4 KiB by tracepoints on Linux 6.18, a fifth of its CPU time; \
            much less of larger reads, for a call is paid once. It starts in 70 ms, and holds 25 MB.
            """,
        seeAlso: ["swiftmem-cachestat(8)", "vmstat(8)", "top(1)"])
}
