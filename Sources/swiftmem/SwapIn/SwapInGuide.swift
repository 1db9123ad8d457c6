// SPDX-License-Identifier: Apache-2.0

extension SwapIn {
    static let guide = Guide(
        examples: [
            .init("swapin", "who gets pages back from swap, each second"),
            .init("swapin --wide 5", "also how long each waited, and where the pages came from"),
            .init("swapin --by cgroup 10 6", "a minute, a row for each service"),
            .init("swapin --histogram -p 1234 10", "how long one process's waits were"),
        ],
        overhead: """
            A page that comes back from zram takes 13 % longer, with --wide 20 % (Linux 6.18): 250 to 500 ns. From a disk \
            that is nothing. What does not swap pays nothing. It starts in 50 ms, and holds 24 MB.
            """,
        seeAlso: ["vmstat(8)", "swapon(8)", "free(1)"])
}
