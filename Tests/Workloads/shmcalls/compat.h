// SPDX-License-Identifier: Apache-2.0
//
// 32-bit system calls from 64-bit code: int 0x80. The kernel sees them as a 32-bit program's: the ipc() call with its
// sub-calls, and the direct numbers 395..398 (5.1 and later).
#ifndef SWIFTMEM_COMPAT_H
#define SWIFTMEM_COMPAT_H
#include "sysv.h"
#include <setjmp.h>
#include <sys/mman.h>

#if defined(__x86_64__)
static struct low { // must lie below 4 GiB
	uint32_t address;
	unsigned char ds[256]; // struct shmid64_ds of i386
} * low;
static sigjmp_buf no_compat;

static inline long int80(long number, long a, long b, long c, long d, long e)
{
	long result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory", "r8", "r9", "r10", "r11");
	result = (int)result;
	if ((uint32_t)result > 0xfffff000u) {
		errno = (int)-result;
		return -1;
	}
	return (long)(uint32_t)result;
}

enum { I386_IPC = 117, I386_SHMGET = 395, I386_SHMCTL = 396, I386_SHMAT = 397, I386_SHMDT = 398 };
enum { IPC_SHMAT = 21, IPC_SHMDT = 22, IPC_SHMGET = 23, IPC_SHMCTL = 24, I386_IPC_64 = 0x100 };

static inline long ipc_get(long key, long size, long flags)
{
	return record("shmget", "i386", I386_IPC, int80(I386_IPC, IPC_SHMGET, key, size, flags, 0),
		      ARGUMENTS(NUMBER("key", (int)key), NUMBER("size_bytes", size), NUMBER("shmflg", flags)));
}
static inline long ipc_at(long id, long address, long flags)
{
	low->address = 0;
	// The address comes back in memory; the call itself returns 0.
	long result = int80(I386_IPC, IPC_SHMAT, id, flags, (intptr_t)&low->address, address);
	record("shmat", "i386", I386_IPC, result,
	       ARGUMENTS(NUMBER("shmid", id), NUMBER("shmaddr", address), NUMBER("shmflg", flags),
			 NUMBER("attached_at", low->address)));
	return result == -1 ? -1 : (long)low->address;
}
static inline long ipc_dt(long address)
{
	return record("shmdt", "i386", I386_IPC, int80(I386_IPC, IPC_SHMDT, 0, 0, 0, address),
		      ARGUMENTS(NUMBER("shmaddr", address)));
}
static inline void *low_buffer(void *buffer)
{
	return buffer && (uintptr_t)buffer > 4096 ? low->ds : buffer;
}
static inline long ipc_ctl(long id, long command, void *buffer)
{
	buffer = low_buffer(buffer);
	return record(
		"shmctl", "i386", I386_IPC, int80(I386_IPC, IPC_SHMCTL, id, command | I386_IPC_64, 0, (intptr_t)buffer),
		ARGUMENTS(NUMBER("shmid", id), NUMBER("cmd", command | I386_IPC_64), NUMBER("buf", (intptr_t)buffer)));
}
static inline long direct_get(long key, long size, long flags)
{
	return record("shmget", "i386", I386_SHMGET, int80(I386_SHMGET, key, size, flags, 0, 0),
		      ARGUMENTS(NUMBER("key", (int)key), NUMBER("size_bytes", size), NUMBER("shmflg", flags)));
}
static inline long direct_at(long id, long address, long flags)
{
	return record("shmat", "i386", I386_SHMAT, int80(I386_SHMAT, id, address, flags, 0, 0),
		      ARGUMENTS(NUMBER("shmid", id), NUMBER("shmaddr", address), NUMBER("shmflg", flags)));
}
static inline long direct_dt(long address)
{
	return record("shmdt", "i386", I386_SHMDT, int80(I386_SHMDT, address, 0, 0, 0, 0),
		      ARGUMENTS(NUMBER("shmaddr", address)));
}
static inline long direct_ctl(long id, long command, void *buffer)
{
	buffer = low_buffer(buffer);
	return record("shmctl", "i386", I386_SHMCTL, int80(I386_SHMCTL, id, command, (intptr_t)buffer, 0, 0),
		      ARGUMENTS(NUMBER("shmid", id), NUMBER("cmd", command), NUMBER("buf", (intptr_t)buffer)));
}

static inline void compat_fault(int number)
{
	(void)number;
	siglongjmp(no_compat, 1);
}

static inline void compat_round(const struct shm_abi *abi)
{
	struct w_undo *place = w_reserve_shm();
	int key = 0x52000000 | ((int)getpid() & 0xffffff);
	char dummy;
	expect(abi->get(key, 8192, 0600), ENOENT, "32-bit shmget of a key that nobody has");
	long id = need(abi->get(key, 8192, IPC_CREAT | IPC_EXCL | 0600), "32-bit shmget");
	w_undo_shm(place, (int)id);
	expect(abi->get(key, 8192, IPC_CREAT | IPC_EXCL | 0600), EEXIST, "32-bit shmget of the same key");
	long address = need(abi->at(id, 0, 0), "32-bit shmat");
	expect(abi->at(-1, 0, 0), EINVAL, "32-bit shmat of no segment");
	need(abi->ctl(id, IPC_STAT, &dummy), "32-bit IPC_STAT");
	need(abi->dt(address), "32-bit shmdt");
	expect(abi->dt(address), EINVAL, "32-bit shmdt of what is detached");
	need(abi->ctl(id, IPC_RMID, NULL), "32-bit IPC_RMID");
	w_undo_shm(place, -1);
}

/// Both ways a 32-bit program has. Dies with 69 where the kernel runs no 32-bit programs.
static inline void compat_sequence(void)
{
	static const struct shm_abi ipc = { ipc_get, ipc_at, ipc_dt, ipc_ctl },
				    direct = { direct_get, direct_at, direct_dt, direct_ctl };
	low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (low == MAP_FAILED)
		w_die(W_FAILED, errno, "memory below 4 GiB");
	struct sigaction old, action = { .sa_handler = compat_fault };
	sigaction(SIGSEGV, &action, &old);
	if (sigsetjmp(no_compat, 1))
		w_die(W_UNAVAILABLE, 0, "this kernel runs no 32-bit programs (int 0x80)");
	int80(20, 0, 0, 0, 0, 0); // getpid
	sigaction(SIGSEGV, &old, NULL);
	compat_round(&ipc);
	compat_round(&direct);
}
#else
static inline void compat_sequence(void)
{
	w_die(W_UNAVAILABLE, 0, "--compat is of x86-64 only");
}
#endif

#endif
