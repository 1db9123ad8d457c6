// SPDX-License-Identifier: Apache-2.0
//
// The System V sequence: every call, its flags, and each error that one process can provoke. EIDRM it can't: that
// needs a race (--race).
#ifndef SWIFTMEM_SYSV_H
#define SWIFTMEM_SYSV_H
#include "record.h"
#include <sys/ipc.h>

#ifndef SHM_HUGE_SHIFT
#define SHM_HUGE_SHIFT 26
#endif
#ifndef SHM_NORESERVE
#define SHM_NORESERVE 010000
#endif
#define HUGE(log2) (SHM_HUGETLB | (log2) << SHM_HUGE_SHIFT)

// How the four calls are made: natively, or by int 0x80.
struct shm_abi {
	long (*get)(long key, long size, long flags);
	long (*at)(long id, long address, long flags);
	long (*dt)(long address);
	long (*ctl)(long id, long command, void *buffer);
};

static inline long native_get(long key, long size, long flags)
{
	return record("shmget", "native", SYS_shmget, syscall(SYS_shmget, key, size, flags),
		      ARGUMENTS(NUMBER("key", (int)key), NUMBER("size_bytes", size), NUMBER("shmflg", flags)));
}
static inline long native_at(long id, long address, long flags)
{
	return record("shmat", "native", SYS_shmat, syscall(SYS_shmat, id, address, flags),
		      ARGUMENTS(NUMBER("shmid", id), NUMBER("shmaddr", address), NUMBER("shmflg", flags)));
}
static inline long native_dt(long address)
{
	return record("shmdt", "native", SYS_shmdt, syscall(SYS_shmdt, address), ARGUMENTS(NUMBER("shmaddr", address)));
}
static inline long native_ctl(long id, long command, void *buffer)
{
	return record("shmctl", "native", SYS_shmctl, syscall(SYS_shmctl, id, command, buffer),
		      ARGUMENTS(NUMBER("shmid", id), NUMBER("cmd", command), NUMBER("buf", (intptr_t)buffer)));
}
static const struct shm_abi native_abi = { native_get, native_at, native_dt, native_ctl };

static inline long need(long result, const char *what)
{
	if (result == -1)
		w_die(W_FAILED, errno, "%s", what);
	return result;
}

static inline void expect(long result, int error, const char *what)
{
	if (result != -1 || errno != error)
		w_die(W_FAILED, result == -1 ? errno : 0, "%s: %s was expected", what, error_name(error));
}

static inline void sysv_sequence(const struct shm_abi *abi)
{
	struct w_undo *place = w_reserve_shm();
	static struct shmid_ds buffer;
	int key = 0x53000000 | ((int)getpid() & 0xffffff);
	long page = sysconf(_SC_PAGESIZE);

	expect(abi->get(key, 2 * page, 0600), ENOENT, "shmget of a key that nobody has");
	long id = need(abi->get(key, 2 * page, IPC_CREAT | IPC_EXCL | 0600), "shmget");
	w_undo_shm(place, (int)id);
	expect(abi->get(key, 2 * page, IPC_CREAT | IPC_EXCL | 0600), EEXIST, "shmget of the same key");
	need(abi->get(key, page, 0600), "shmget of the same key, smaller");
	expect(abi->get(key, 1 << 20, 0600), EINVAL, "shmget of the same key, bigger");
	expect(abi->get(IPC_PRIVATE, 0, IPC_CREAT | 0600), EINVAL, "shmget of no bytes");

	long first = need(abi->at(id, 0, 0), "shmat");
	long second = need(abi->at(id, 0, SHM_RDONLY), "shmat SHM_RDONLY");
	expect(abi->at(id, first + 1, 0), EINVAL, "shmat at an address within a page");
	expect(abi->at(-1, 0, 0), EINVAL, "shmat of no segment");
	expect(abi->at(id, 0, SHM_REMAP), EINVAL, "shmat SHM_REMAP without an address");
	need(abi->at(id, first, SHM_REMAP), "shmat SHM_REMAP");
	need(abi->dt(second), "shmdt");
	expect(abi->dt(second), EINVAL, "shmdt of what is detached");
	need(abi->at(id, second + 1, SHM_RND), "shmat SHM_RND");

	need(abi->ctl(id, IPC_STAT, &buffer), "IPC_STAT");
	if (buffer.shm_nattch != 2 || buffer.shm_segsz != (size_t)(2 * page))
		w_die(W_FAILED, 0, "IPC_STAT says %lu attaches, %zu bytes", (unsigned long)buffer.shm_nattch,
		      buffer.shm_segsz);
	abi->ctl(id & 0x7fff, SHM_STAT, &buffer); // the index: true of kernels without ipcmni_extend
	abi->ctl(id & 0x7fff, SHM_STAT_ANY, &buffer);
	need(abi->ctl(id, IPC_STAT, &buffer), "IPC_STAT");
	buffer.shm_perm.mode = 0640;
	need(abi->ctl(id, IPC_SET, &buffer), "IPC_SET");
	abi->ctl(id, SHM_LOCK, NULL); // needs RLIMIT_MEMLOCK or the capability
	abi->ctl(id, SHM_UNLOCK, NULL);
	expect(abi->ctl(id, 4711, &buffer), EINVAL, "shmctl of no command");
	expect(abi->ctl(id, IPC_STAT, (void *)8), EFAULT, "IPC_STAT to nowhere");
	expect(abi->ctl(-1, IPC_RMID, NULL), EINVAL, "IPC_RMID of no segment");

	need(abi->ctl(id, IPC_RMID, NULL), "IPC_RMID");
	expect(abi->get(key, page, 0600), ENOENT, "shmget of a removed key");
	need(abi->dt(first), "shmdt");
	need(abi->dt(second), "shmdt of the last");
	expect(abi->ctl(id, IPC_STAT, &buffer), EINVAL, "IPC_STAT of what is gone");
	w_undo_shm(place, -1);

	// Huge pages: succeeds only where some are set aside; a size of no huge page is wrong everywhere.
	static const long flags[] = {
		SHM_HUGETLB, HUGE(21), HUGE(30), HUGE(21) | SHM_NORESERVE, SHM_NORESERVE, HUGE(13)
	};
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		long huge = abi->get(IPC_PRIVATE, 2 << 20, flags[i] | IPC_CREAT | 0600);
		if (huge >= 0) {
			w_undo_shm(place, (int)huge);
			need(abi->ctl(huge, IPC_RMID, NULL), "IPC_RMID");
			w_undo_shm(place, -1);
		}
	}
}

#endif
