// SPDX-License-Identifier: Apache-2.0
//
// The file that memstall reads or writes, and how much of it may be dirty.
#ifndef SWIFTMEM_MEMSTALL_FILES_H
#define SWIFTMEM_MEMSTALL_FILES_H
#include "options.h"

static int open_file(void)
{
	char path[256], block[1 << 16];
	snprintf(path, sizeof path, "%s/swiftmem-memstall-%d.dat", opt.directory, (int)getpid());
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		w_die(W_UNAVAILABLE, errno, "%s", path);
	w_undo_path(W_UNDO_FILE, path);
	memset(block, 7, sizeof block);
	for (uint64_t i = 0; i < opt.bytes; i += sizeof block)
		if (pwrite(fd, block, sizeof block, (off_t)i) != sizeof block)
			w_die(W_UNAVAILABLE, errno, "%s", path);
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return fd;
}

static void limit_dirty(void)
{
	static const char file[] = "/proc/sys/vm/dirty_bytes", ratio[] = "/proc/sys/vm/dirty_ratio";
	char before[32] = "", percent[32] = "";
	w_read_file(file, before, sizeof before);
	w_read_file(ratio, percent, sizeof percent);
	// each of the two sets the other to 0, and refuses 0 itself
	if (atoll(before) > 0)
		w_undo_write(file, before);
	else
		w_undo_write(ratio, percent);
	int e = w_write_file(file, "4194304");
	if (e)
		w_die(W_UNAVAILABLE, e, "%s", file);
}

#endif
