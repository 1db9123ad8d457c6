// SPDX-License-Identifier: Apache-2.0

extension ShmSnoop {
    static let guide = Guide(
        examples: [
            .init("shmsnoop", "every shmget, shmat, shmdt and shmctl as it returns"),
            .init("shmsnoop --orphans", "segments that nobody uses any more, and end"),
            .init("shmsnoop --all -p 1234", "one process; POSIX shared memory and memfds too"),
            .init("shmsnoop --latency -d 60 --json", "a minute, with each call's time, for a program"),
        ],
        overhead: """
            Every system call of the machine takes 10 ns longer, with --latency or --all 25 ns; one of the calls that are \
            shown, 100 to 240 ns (Linux 6.18). --list and --orphans trace nothing. It starts in 30 ms; 32 MB of its memory \
            are the ring that events come by.
            """,
        seeAlso: ["ipcs(1)", "ipcrm(1)", "shmget(2)", "shm_overview(7)"])
}
