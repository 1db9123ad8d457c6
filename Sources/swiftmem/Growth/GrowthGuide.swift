// SPDX-License-Identifier: Apache-2.0

extension Growth {
    static let guide = Guide(
        examples: [
            .init("growth -p 1234", "which stacks make a process grow, every 5 seconds"),
            .init("growth -c ./server -T 5 10", "a command from its start on; five stacks"),
            .init("growth --cgroup /system.slice/nginx.service 30", "all processes of a service"),
            .init("growth -p 1234 --json 10 1", "ten seconds, for a program"),
        ],
        overhead: """
            A fault that makes a page resident takes 2.5 us longer, with a stack of 15 frames, where it takes 1.3 us bare; \
            in processes that are not traced 0.3 us. An allocation that is served from memory that is resident already \
            costs nothing: a program that does not grow does not notice.
            """,
        files: [
            (
                "/var/cache/swiftmem/unwind",
                "Unwind tables, kept between runs; its user's alone. SWIFTMEM_UNWIND_CACHE names another directory, or none."
            )
        ],
        seeAlso: ["pmap(1)", "proc_pid_smaps(5)", "proc_pid_pagemap(5)"])
}
