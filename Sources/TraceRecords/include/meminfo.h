/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Records of BPF/meminfo.bpf.c. Each iterator writes records of one type, consecutively. */
#ifndef SWIFTMEM_MEMINFO_H
#define SWIFTMEM_MEMINFO_H

#include <linux/types.h>

#define MEMINFO_NAME 56

enum meminfo_kind {
	MEMINFO_SHARED = 1, /* a file of a tmpfs, open or mapped */
	MEMINFO_PIPE, /* pages of data in a pipe */
	MEMINFO_SOCKET, /* pages of data in a socket's queues */
	MEMINFO_PACKET_RING, /* rings of a packet socket */
	MEMINFO_PERF_RING, /* rings of a perf event */
	MEMINFO_BPF_RING, /* a ring buffer of BPF programs */
};

/* Something that holds memory, and a process that has it. */
struct meminfo_holding {
	__u32 kind; /* enum meminfo_kind */
	__u32 pid; /* 0: none is known */
	__u64 address; /* of the kernel's object: tells it from others of its kind */
	__u64 bytes;
	/* of MEMINFO_SHARED alone: */
	__u64 inode;
	__u32 device; /* dev_t in the kernel's encoding */
	__u32 links;
	__u64 start; /* its mapping; 0: it is open as fd */
	__u64 end;
	__s32 fd;
	char name[MEMINFO_NAME]; /* last component of its path, cut */
	__u32 padding;
};

_Static_assert(sizeof(struct meminfo_holding) == 120, "meminfo_holding is shared with Swift");

/* A process whose namespaces are others than those of the process before it. */
struct meminfo_namespaces {
	__u32 pid;
	__u32 mount;
	__u32 ipc;
	__u32 padding;
};

_Static_assert(sizeof(struct meminfo_namespaces) == 16, "meminfo_namespaces is shared with Swift");

#endif
