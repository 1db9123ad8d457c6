/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Records of BPF/shmsnoop.bpf.c: a system call that returned. */
#ifndef SWIFTMEM_SHMSNOOP_H
#define SWIFTMEM_SHMSNOOP_H

#include <linux/types.h>

#define SHM_NAME 256
#define SHM_NO_DURATION (~0ULL)

/* Which call; in the comment its arguments, by their place in `arguments`. */
enum shm_call_kind {
	SHM_CALL_NONE,
	SHM_CALL_GET, /* key, size, shmflg */
	SHM_CALL_AT, /* shmid, shmaddr, shmflg */
	SHM_CALL_DT, /* shmaddr */
	SHM_CALL_CTL, /* shmid, cmd, buf */
	SHM_CALL_OPEN, /* flags, mode; named: the path below /dev/shm */
	SHM_CALL_UNLINK, /* ; named: the path below /dev/shm */
	SHM_CALL_MEMFD, /* flags; named: as given */
	SHM_CALL_SECRET, /* flags */
	SHM_CALL_TRUNCATE, /* fd, length; named: the file */
	SHM_CALL_FCNTL, /* fd, cmd, arg; named: the file */
	SHM_CALL_MMAP, /* addr, length, prot, flags, fd, offset; named: the file, if any */
	SHM_CALL_MUNMAP, /* addr, length */
	SHM_CALL_RENAME, /* flags; named twice: the path below /dev/shm, or all of it where it is not there */
	SHM_CALL_KINDS,
};

enum shm_call_flag {
	SHM_CALL_COMPAT = 1, /* by the 32-bit entry */
	SHM_CALL_NAMED = 2, /* a struct shm_named_event */
	SHM_CALL_RENAMED = 4, /* a struct shm_renamed_event */
};

struct shmsnoop_config {
	__u32 all; /* not System V's calls only */
	__u32 latency; /* calls are timed */
};

_Static_assert(sizeof(struct shmsnoop_config) == 8, "shmsnoop_config is shared with Swift");

struct shm_event {
	__u64 time_ns; /* of the return, CLOCK_MONOTONIC */
	__u64 duration_ns;
	__s64 result; /* negative: an errno */
	__u64 arguments[6];
	__u32 pid;
	__u32 tid;
	__u32 call;
	__u32 flags;
	char comm[16];
};

_Static_assert(sizeof(struct shm_event) == 104, "shm_event is shared with Swift");

struct shm_named_event {
	struct shm_event event;
	char name[SHM_NAME]; /* cut there */
};

_Static_assert(sizeof(struct shm_named_event) == 360, "shm_named_event is shared with Swift");

struct shm_renamed_event {
	struct shm_named_event named;
	char new_name[SHM_NAME]; /* cut there */
};

_Static_assert(sizeof(struct shm_renamed_event) == 616, "shm_renamed_event is shared with Swift");

#endif
