// SPDX-License-Identifier: Apache-2.0

extension CacheStat {
    static let guide = Guide(
        examples: [
            .init("cachestat", "a line a second, until Ctrl-C"),
            .init("cachestat -T 5 12", "a minute in lines of five seconds, each with the time"),
            .init("cachestat -p 1234 --wide", "one process; faults, evictions, refaults too"),
            .init("cachestat --cgroup /system.slice/nginx.service 10", "a service"),
        ],
        overhead: """
            An access adds 30 to 80 ns to a cached read of 4 KiB by tracepoints on Linux 6.18, 8 % of its CPU time; \
            much less of larger reads, for a call is paid once. It starts in 50 ms, and holds 25 MB.
            """,
        seeAlso: ["swiftmem-cachetop(8)", "vmstat(8)", "free(1)"])
}
