/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The numbers of the system calls that read or write a file at a position, by the kernel's tables. */
#ifndef SWIFTMEM_PAGECACHE_TRANSFER_NUMBERS_H
#define SWIFTMEM_PAGECACHE_TRANSFER_NUMBERS_H

#include "vmlinux/core.h"

/* Where a call's file and position are. */
enum transfer {
	NO_TRANSFER,
	READ_HERE, /* at the file's own position */
	READ_AT, /* at an argument */
	READ_AT_HALVES, /* at two words, the lower first */
	READ_AT_HALVES_EVEN, /* … which begin at an even register (EABI) */
	SENDFILE, /* sendfile(out, in, *position): its own where that is NULL */
	COPY_RANGE, /* copy_file_range(in, *position, …), so too */
	SPLICE, /* splice(in, *position, …), so too; the kernel does not count it among a task's reads */
	LAST_READ = SPLICE,
	WRITE_HERE,
	WRITE_AT,
	WRITE_AT_HALVES,
	WRITE_AT_HALVES_EVEN,
};

#if defined(__TARGET_ARCH_x86)

/* arch/x86/entry/syscalls/syscall_64.tbl */
static __always_inline enum transfer native_transfer(long number)
{
	switch (number) {
	case 0:
	case 19: return READ_HERE;
	case 17:
	case 295:
	case 327: return READ_AT;
	case 40: return SENDFILE;
	case 275: return SPLICE;
	case 326: return COPY_RANGE;
	case 1:
	case 20: return WRITE_HERE;
	case 18:
	case 296:
	case 328: return WRITE_AT;
	}
	return NO_TRANSFER;
}

/* arch/x86/entry/syscalls/syscall_32.tbl */
static __always_inline enum transfer compat_transfer(long number)
{
	switch (number) {
	case 3:
	case 145: return READ_HERE;
	case 180:
	case 333:
	case 378: return READ_AT_HALVES;
	case 239: return SENDFILE;
	case 313: return SPLICE;
	case 377: return COPY_RANGE;
	case 4:
	case 146: return WRITE_HERE;
	case 181:
	case 334:
	case 379: return WRITE_AT_HALVES;
	}
	return NO_TRANSFER;
}

#elif defined(__TARGET_ARCH_arm64)

/* include/uapi/asm-generic/unistd.h */
static __always_inline enum transfer native_transfer(long number)
{
	switch (number) {
	case 63:
	case 65: return READ_HERE;
	case 67:
	case 69:
	case 286: return READ_AT;
	case 71: return SENDFILE;
	case 76: return SPLICE;
	case 285: return COPY_RANGE;
	case 64:
	case 66: return WRITE_HERE;
	case 68:
	case 70:
	case 287: return WRITE_AT;
	}
	return NO_TRANSFER;
}

/* arch/arm/tools/syscall.tbl */
static __always_inline enum transfer compat_transfer(long number)
{
	switch (number) {
	case 3:
	case 145: return READ_HERE;
	case 180: return READ_AT_HALVES_EVEN;
	case 361:
	case 392: return READ_AT_HALVES;
	case 239: return SENDFILE;
	case 340: return SPLICE;
	case 391: return COPY_RANGE;
	case 4:
	case 146: return WRITE_HERE;
	case 181: return WRITE_AT_HALVES_EVEN;
	case 362:
	case 393: return WRITE_AT_HALVES;
	}
	return NO_TRANSFER;
}

#endif

#endif
