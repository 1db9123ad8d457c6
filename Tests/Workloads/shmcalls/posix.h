// SPDX-License-Identifier: Apache-2.0
//
// The other ways to share memory: POSIX objects, memfd with seals, shared mappings.
#ifndef SWIFTMEM_POSIX_H
#define SWIFTMEM_POSIX_H
#include "sysv.h"
#include <sys/mman.h>

#ifndef SYS_unlink // arm64 has only the newer calls
#define SYS_unlink SYS_unlinkat
#define SYS_creat SYS_openat
#define SYS_rename SYS_renameat
#endif

static inline long posix_open(const char *name, int flags)
{
	return record("shm_open", "native", SYS_openat, shm_open(name, flags, 0600),
		      ARGUMENTS(TEXT("name", name), NUMBER("oflag", flags), NUMBER("mode", 0600)));
}
static inline long posix_truncate(long fd, long size)
{
	return record("ftruncate", "native", SYS_ftruncate, syscall(SYS_ftruncate, fd, size),
		      ARGUMENTS(NUMBER("fd", fd), NUMBER("size_bytes", size)));
}
static inline long posix_map(long size, int protection, int flags, long fd)
{
	return record("mmap", "native", SYS_mmap, syscall(SYS_mmap, 0L, size, (long)protection, (long)flags, fd, 0L),
		      ARGUMENTS(NUMBER("addr", 0), NUMBER("size_bytes", size), NUMBER("prot", protection),
				NUMBER("flags", flags), NUMBER("fd", fd)));
}
static inline long posix_unmap(long address, long size)
{
	return record("munmap", "native", SYS_munmap, syscall(SYS_munmap, address, size),
		      ARGUMENTS(NUMBER("addr", address), NUMBER("size_bytes", size)));
}
static inline long posix_memfd(const char *name, unsigned flags)
{
	return record("memfd_create", "native", SYS_memfd_create, syscall(SYS_memfd_create, name, flags),
		      ARGUMENTS(TEXT("name", name), NUMBER("flags", flags)));
}
static inline long posix_fcntl(long fd, int command, long argument)
{
	return record("fcntl", "native", SYS_fcntl, syscall(SYS_fcntl, fd, (long)command, argument),
		      ARGUMENTS(NUMBER("fd", fd), NUMBER("cmd", command), NUMBER("arg", argument)));
}

// Below /dev/shm by other calls than shm_open()'s and shm_unlink()'s.
static inline void posix_other_calls(void)
{
	static char path[64], second[80], outside[80];
	snprintf(path, sizeof path, "/dev/shm/swiftmem-creat-%d", (int)getpid());
	snprintf(second, sizeof second, "%s-renamed", path);
	snprintf(outside, sizeof outside, "/dev/swiftmem-creat-%d", (int)getpid());
	w_undo_path(W_UNDO_FILE, path);
	w_undo_path(W_UNDO_FILE, second);
	long fd = need(record("shm_open", "native", SYS_creat, creat(path, 0600),
			      ARGUMENTS(TEXT("name", path + 9), NUMBER("oflag", O_WRONLY | O_CREAT | O_TRUNC),
					NUMBER("mode", 0600))),
		       "creat");
	close((int)fd);
	need(record("rename", "native", SYS_rename, rename(path, second),
		    ARGUMENTS(TEXT("name", path + 9), TEXT("new_name", second + 9))),
	     "rename");
	expect(record("rename", "native", SYS_renameat2,
		      renameat2(AT_FDCWD, second, AT_FDCWD, second, RENAME_NOREPLACE),
		      ARGUMENTS(TEXT("name", second + 9), TEXT("new_name", second + 9))),
	       EEXIST, "renameat2 to what is there");
	expect(record("rename", "native", SYS_rename, rename(outside, path),
		      ARGUMENTS(TEXT("name", outside), TEXT("new_name", path + 9))),
	       EXDEV, "rename from another file system");
	need(record("shm_unlink", "native", SYS_unlink, unlink(second), ARGUMENTS(TEXT("name", second + 9))), "unlink");
	fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		w_die(W_FAILED, errno, "/dev/zero");
	long page = sysconf(_SC_PAGESIZE), map = need(posix_map(page, PROT_READ, MAP_SHARED, fd), "mmap of /dev/zero");
	need(posix_unmap(map, page), "munmap");
	close((int)fd);
}

static inline void posix_sequence(void)
{
	static char name[48], path[64]; // the record points at the name
	snprintf(name, sizeof name, "/swiftmem-shm-%d", (int)getpid());
	snprintf(path, sizeof path, "/dev/shm%s", name);
	long page = sysconf(_SC_PAGESIZE);

	expect(posix_open(name, O_RDWR), ENOENT, "shm_open of what is not there");
	w_undo_path(W_UNDO_FILE, path);
	long fd = posix_open(name, O_RDWR | O_CREAT | O_EXCL);
	if (fd < 0)
		w_die(W_UNAVAILABLE, errno, "shm_open (is there a /dev/shm?)");
	expect(posix_open(name, O_RDWR | O_CREAT | O_EXCL), EEXIST, "shm_open of the same name");
	need(posix_truncate(fd, 4 * page), "ftruncate");
	long map = need(posix_map(4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd), "mmap");
	*(volatile char *)map = 1;
	need(posix_unmap(map, page), "munmap of a part");
	need(posix_unmap(map + page, 3 * page), "munmap of the rest");
	need(record("shm_unlink", "native", SYS_unlink, shm_unlink(name), ARGUMENTS(TEXT("name", name))), "shm_unlink");
	close((int)fd);

	posix_other_calls();
	expect(posix_memfd("swiftmem-bad", 0x8000), EINVAL, "memfd_create of unknown flags");
	fd = need(posix_memfd("swiftmem-memfd", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
	need(posix_truncate(fd, 2 * page), "ftruncate");
	need(posix_fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), "F_ADD_SEALS");
	expect(posix_truncate(fd, 4 * page), EPERM, "ftruncate of a sealed memfd");
	map = need(posix_map(2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd), "mmap");
	expect(posix_fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY, "F_SEAL_WRITE of a mapped memfd");
	need(posix_unmap(map, 2 * page), "munmap");
	need(posix_fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL), "F_ADD_SEALS");
	expect(posix_map(2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd), EPERM, "mmap of a write-sealed memfd");
	need(posix_fcntl(fd, F_GET_SEALS, 0), "F_GET_SEALS");
	close((int)fd);
	fd = posix_memfd("swiftmem-huge", MFD_CLOEXEC | MFD_HUGETLB); // ENOSYS or EINVAL without hugetlbfs
	if (fd >= 0)
		close((int)fd);
#ifdef SYS_memfd_secret
	fd = record("memfd_secret", "native", SYS_memfd_secret, syscall(SYS_memfd_secret, 0L),
		    ARGUMENTS(NUMBER("flags", 0)));
	if (fd >= 0)
		close((int)fd);
#endif
	map = need(posix_map(8 * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1),
		   "mmap MAP_SHARED | MAP_ANONYMOUS");
	need(posix_unmap(map, 8 * page), "munmap");
	expect(posix_map(0, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1), EINVAL, "mmap of no bytes");
	expect(posix_map(page, PROT_READ, MAP_SHARED, -1), EBADF, "mmap of no file");
}

#endif
