/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The numbers of shared-memory system calls, for 64-bit and 32-bit callers, by the kernel's tables. */
#ifndef SWIFTMEM_SHMSNOOP_CALL_NUMBERS_H
#define SWIFTMEM_SHMSNOOP_CALL_NUMBERS_H

#include "vmlinux/core.h"
#include "shmsnoop.h"

/* How a number's arguments are placed. */
enum variant {
	PLAIN,
	IPC, /* ipc(call, first, second, third, ptr) */
	AT, /* a directory's descriptor comes first */
	AT_FLAGS, /* … and flags last, where older calls have none */
	CREATE, /* creat(): open() with the flags that it stands for */
	PAGES, /* mmap2(): the offset is in units of 4096 bytes, whatever the kernel's pages are */
	HALVES, /* ftruncate64(): the length is in two words */
	HALVES_EVEN, /* … which begin at an even register (EABI) */
};

#define CALL(kind, variant) ((kind) | (variant) << 8)
#define CALL_KIND(call) ((call)&0xff)
#define CALL_VARIANT(call) ((call) >> 8)

#if defined(__TARGET_ARCH_x86)

/* arch/x86/entry/syscalls/syscall_64.tbl */
static __always_inline u32 native_call(long id, bool all)
{
	switch (id) {
	case 29: return CALL(SHM_CALL_GET, PLAIN);
	case 30: return CALL(SHM_CALL_AT, PLAIN);
	case 31: return CALL(SHM_CALL_CTL, PLAIN);
	case 67: return CALL(SHM_CALL_DT, PLAIN);
	}
	if (!all)
		return SHM_CALL_NONE;
	switch (id) {
	case 2: return CALL(SHM_CALL_OPEN, PLAIN);
	case 9: return CALL(SHM_CALL_MMAP, PLAIN);
	case 11: return CALL(SHM_CALL_MUNMAP, PLAIN);
	case 72: return CALL(SHM_CALL_FCNTL, PLAIN);
	case 77: return CALL(SHM_CALL_TRUNCATE, PLAIN);
	case 82: return CALL(SHM_CALL_RENAME, PLAIN);
	case 85: return CALL(SHM_CALL_OPEN, CREATE);
	case 87: return CALL(SHM_CALL_UNLINK, PLAIN);
	case 257: return CALL(SHM_CALL_OPEN, AT);
	case 263: return CALL(SHM_CALL_UNLINK, AT);
	case 264: return CALL(SHM_CALL_RENAME, AT);
	case 316: return CALL(SHM_CALL_RENAME, AT_FLAGS);
	case 319: return CALL(SHM_CALL_MEMFD, PLAIN);
	case 447: return CALL(SHM_CALL_SECRET, PLAIN);
	}
	return SHM_CALL_NONE;
}

/* arch/x86/entry/syscalls/syscall_32.tbl */
static __always_inline u32 compat_call(long id, bool all)
{
	switch (id) {
	case 117: return CALL(SHM_CALL_GET, IPC); /* the kind is in its first argument */
	case 395: return CALL(SHM_CALL_GET, PLAIN);
	case 396: return CALL(SHM_CALL_CTL, PLAIN);
	case 397: return CALL(SHM_CALL_AT, PLAIN);
	case 398: return CALL(SHM_CALL_DT, PLAIN);
	}
	if (!all)
		return SHM_CALL_NONE;
	switch (id) {
	case 5: return CALL(SHM_CALL_OPEN, PLAIN);
	case 8: return CALL(SHM_CALL_OPEN, CREATE);
	case 10: return CALL(SHM_CALL_UNLINK, PLAIN);
	case 38: return CALL(SHM_CALL_RENAME, PLAIN);
	case 55: return CALL(SHM_CALL_FCNTL, PLAIN);
	case 91: return CALL(SHM_CALL_MUNMAP, PLAIN);
	case 93: return CALL(SHM_CALL_TRUNCATE, PLAIN);
	case 192: return CALL(SHM_CALL_MMAP, PAGES);
	case 194: return CALL(SHM_CALL_TRUNCATE, HALVES);
	case 221: return CALL(SHM_CALL_FCNTL, PLAIN);
	case 295: return CALL(SHM_CALL_OPEN, AT);
	case 301: return CALL(SHM_CALL_UNLINK, AT);
	case 302: return CALL(SHM_CALL_RENAME, AT);
	case 353: return CALL(SHM_CALL_RENAME, AT_FLAGS);
	case 356: return CALL(SHM_CALL_MEMFD, PLAIN);
	case 447: return CALL(SHM_CALL_SECRET, PLAIN);
	}
	return SHM_CALL_NONE;
}

#elif defined(__TARGET_ARCH_arm64)

/* include/uapi/asm-generic/unistd.h */
static __always_inline u32 native_call(long id, bool all)
{
	switch (id) {
	case 194: return CALL(SHM_CALL_GET, PLAIN);
	case 195: return CALL(SHM_CALL_CTL, PLAIN);
	case 196: return CALL(SHM_CALL_AT, PLAIN);
	case 197: return CALL(SHM_CALL_DT, PLAIN);
	}
	if (!all)
		return SHM_CALL_NONE;
	switch (id) {
	case 25: return CALL(SHM_CALL_FCNTL, PLAIN);
	case 35: return CALL(SHM_CALL_UNLINK, AT);
	case 38: return CALL(SHM_CALL_RENAME, AT);
	case 46: return CALL(SHM_CALL_TRUNCATE, PLAIN);
	case 56: return CALL(SHM_CALL_OPEN, AT);
	case 215: return CALL(SHM_CALL_MUNMAP, PLAIN);
	case 222: return CALL(SHM_CALL_MMAP, PLAIN);
	case 276: return CALL(SHM_CALL_RENAME, AT_FLAGS);
	case 279: return CALL(SHM_CALL_MEMFD, PLAIN);
	case 447: return CALL(SHM_CALL_SECRET, PLAIN);
	}
	return SHM_CALL_NONE;
}

/* arch/arm/tools/syscall.tbl, EABI: it has no ipc() */
static __always_inline u32 compat_call(long id, bool all)
{
	switch (id) {
	case 305: return CALL(SHM_CALL_AT, PLAIN);
	case 306: return CALL(SHM_CALL_DT, PLAIN);
	case 307: return CALL(SHM_CALL_GET, PLAIN);
	case 308: return CALL(SHM_CALL_CTL, PLAIN);
	}
	if (!all)
		return SHM_CALL_NONE;
	switch (id) {
	case 5: return CALL(SHM_CALL_OPEN, PLAIN);
	case 8: return CALL(SHM_CALL_OPEN, CREATE);
	case 10: return CALL(SHM_CALL_UNLINK, PLAIN);
	case 38: return CALL(SHM_CALL_RENAME, PLAIN);
	case 55: return CALL(SHM_CALL_FCNTL, PLAIN);
	case 91: return CALL(SHM_CALL_MUNMAP, PLAIN);
	case 93: return CALL(SHM_CALL_TRUNCATE, PLAIN);
	case 192: return CALL(SHM_CALL_MMAP, PAGES);
	case 194: return CALL(SHM_CALL_TRUNCATE, HALVES_EVEN);
	case 221: return CALL(SHM_CALL_FCNTL, PLAIN);
	case 322: return CALL(SHM_CALL_OPEN, AT);
	case 328: return CALL(SHM_CALL_UNLINK, AT);
	case 329: return CALL(SHM_CALL_RENAME, AT);
	case 382: return CALL(SHM_CALL_RENAME, AT_FLAGS);
	case 385: return CALL(SHM_CALL_MEMFD, PLAIN);
	}
	return SHM_CALL_NONE;
}

#endif

/* ipc/syscall.c, include/uapi/linux/ipc.h */
#define IPCCALL_SHMAT 21
#define IPCCALL_SHMDT 22
#define IPCCALL_SHMGET 23
#define IPCCALL_SHMCTL 24

#endif
