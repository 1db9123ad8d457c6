// SPDX-License-Identifier: Apache-2.0
//
// Memory of a process and of files in memory: what each kind takes, and how it is given back.
#ifndef SWIFTMEM_MEMHOLDER_MEMORY_H
#define SWIFTMEM_MEMHOLDER_MEMORY_H
#include "../include/workload.h"
#include <linux/memfd.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/statfs.h>

struct holder {
	size_t bytes;
	const char *directory;
	size_t threads;
	size_t page;
	int fd;
	int *fds;
	size_t count;
	int shmid;
	void *memory;
	size_t mapped;
	pthread_t *ids;
	struct w_undo *segment;
	char path[256];
};

static void *touched(struct holder *h, int flags, int fd, size_t size, size_t step)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (memory == MAP_FAILED)
		w_die(flags & MAP_HUGETLB ? W_UNAVAILABLE : W_FAILED, errno, "mmap");
	if (!(flags & MAP_HUGETLB))
		madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < size; at += step)
		((volatile char *)memory)[at] = 1;
	h->memory = memory;
	h->mapped = size;
	return memory;
}

static void unmap(struct holder *h)
{
	if (h->memory)
		munmap(h->memory, h->mapped);
	h->memory = NULL;
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
}

static void anon(struct holder *h)
{
	touched(h, MAP_PRIVATE | MAP_ANONYMOUS, -1, h->bytes, h->page);
}

static void shared(struct holder *h)
{
	touched(h, MAP_SHARED | MAP_ANONYMOUS, -1, h->bytes, h->page);
}

static void fill(struct holder *h)
{
	if (h->fd < 0)
		w_die(W_UNAVAILABLE, errno, "%s", h->path);
	int e = posix_fallocate(h->fd, 0, (off_t)h->bytes);
	if (e)
		w_die(e == ENOSPC ? W_UNAVAILABLE : W_FAILED, e, "fallocate");
}

/// The descriptor alone holds it: nothing is mapped.
static void memfd(struct holder *h)
{
	h->fd = memfd_create("swiftmem-held", MFD_CLOEXEC);
	fill(h);
}

static void in_directory(struct holder *h, const char *directory)
{
	struct statfs status;
	snprintf(h->path, sizeof h->path, "%s/swiftmem-held-%d", directory, getpid());
	if (statfs(directory, &status) < 0 || status.f_type != 0x01021994) // TMPFS_MAGIC
		w_die(W_UNAVAILABLE, 0, "%s: no tmpfs", directory);
	h->fd = open(h->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (h->fd >= 0)
		w_undo_path(W_UNDO_FILE, h->path);
	fill(h);
}

static void tmpfs(struct holder *h)
{
	in_directory(h, h->directory);
}

static void posix(struct holder *h)
{
	in_directory(h, "/dev/shm");
}

static void deleted(struct holder *h)
{
	in_directory(h, h->directory);
	unlink(h->path);
}

static void remove_file(struct holder *h)
{
	unlink(h->path);
	unmap(h);
}

static void segment(struct holder *h)
{
	h->shmid = shmget(IPC_PRIVATE, h->bytes, IPC_CREAT | 0600);
	if (h->shmid < 0)
		w_die(errno == ENOSYS ? W_UNAVAILABLE : W_FAILED, errno, "shmget");
	w_undo_shm(h->segment, h->shmid);
	char *memory = shmat(h->shmid, NULL, 0);
	if (memory == (char *)-1)
		w_die(W_FAILED, errno, "shmat");
	memset(memory, 1, h->bytes);
	// nobody is attached to it any more
	shmdt(memory);
}

static void remove_segment(struct holder *h)
{
	shmctl(h->shmid, IPC_RMID, NULL);
	w_undo_shm(h->segment, -1);
}

/// A table of the lowest level for each of its entries' worth of memory; a page of it is read, and is the zero page.
static void tables(struct holder *h)
{
	size_t each = h->page / sizeof(uint64_t) * h->page, count = h->bytes / h->page;
	char *memory = mmap(NULL, each * count, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	volatile char sum = 0;
	if (memory == MAP_FAILED)
		w_die(W_UNAVAILABLE, errno, "mmap");
	madvise(memory, each * count, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < count; at++)
		sum += memory[at * each];
	h->memory = memory;
	h->mapped = each * count;
}

/// From a pool that somebody has set aside: the size of a huge page is the machine's.
static void hugetlb(struct holder *h)
{
	char text[8192];
	uint64_t kilobytes = 0;
	if (w_read_file("/proc/meminfo", text, sizeof text) < 0 || !w_field(text, "Hugepagesize", &kilobytes))
		w_die(W_UNAVAILABLE, 0, "no huge pages");
	touched(h, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, h->bytes, kilobytes * 1024);
}

#endif
