// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux.h"

#include <malloc.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int clinux_enter_ipc_namespace(int descriptor)
{
	return setns(descriptor, CLONE_NEWIPC) < 0 ? -errno : 0;
}

int clinux_keep_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	for (int half = 0; half < 2; half++) {
		sets[half].permitted &= (uint32_t)(kept >> (32 * half));
		sets[half].effective &= sets[half].permitted;
		sets[half].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, sets) < 0)
		return -errno;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int clinux_open_name(const char *path)
{
	int descriptor = open(path, O_PATH | O_CLOEXEC);
	return descriptor < 0 ? -errno : descriptor;
}

// One name after another, where no link is followed at all.
int clinux_open_by_names(int root, const char *path)
{
	int place = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat status;

	while (place >= 0) {
		path += strspn(path, "/");
		size_t length = strcspn(path, "/");
		char name[NAME_MAX + 1];
		if (length == 0)
			return place;
		if (length > NAME_MAX || (length == 2 && !memcmp(path, "..", 2))) {
			close(place);
			return -EXDEV;
		}
		memcpy(name, path, length);
		name[length] = '\0';
		path += length;
		int next = openat(place, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		int code = next < 0 ? -errno : 0;
		close(place);
		if (code)
			return code;
		if (fstat(next, &status) < 0 || S_ISLNK(status.st_mode)) {
			close(next);
			return -ELOOP;
		}
		place = next;
	}
	return -errno;
}

int clinux_open_below(int root, const char *path, int follow, int cross)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (follow ? 0 : RESOLVE_NO_SYMLINKS) |
			   (cross ? 0 : RESOLVE_NO_XDEV),
	};
	long descriptor = -1;

	// EAGAIN: a rename came in between
	for (int attempt = 0; attempt < 8; attempt++) {
		descriptor = syscall(SYS_openat2, root, path, &how, sizeof how);
		if (descriptor >= 0 || errno != EAGAIN)
			break;
	}
	if (descriptor >= 0)
		return (int)descriptor;
	// before Linux 5.6, or where a filter of system calls does not know it
	return errno == ENOSYS || errno == EPERM ? clinux_open_by_names(root, path) : -errno;
}

int64_t clinux_shared_memory_device(void)
{
	struct stat status;
	int descriptor = memfd_create("swiftmem", MFD_CLOEXEC);
	if (descriptor < 0)
		return -1;
	int code = fstat(descriptor, &status);
	close(descriptor);
	return code < 0 ? -1 : (int64_t)major(status.st_dev) << 32 | minor(status.st_dev);
}

int clinux_memory_file(const void *bytes, size_t count)
{
	int descriptor = memfd_create("swiftmem", MFD_CLOEXEC);
	size_t written = 0;

	if (descriptor < 0)
		return -errno;
	while (written < count) {
		ssize_t got = write(descriptor, (const char *)bytes + written, count - written);
		if (got <= 0) {
			int code = got < 0 ? errno : EIO;
			close(descriptor);
			return -code;
		}
		written += (size_t)got;
	}
	return descriptor;
}

void clinux_begin_writing(int descriptor, int64_t offset, int64_t count)
{
	// what can't be written now is written later
	(void)sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
}

int64_t clinux_used_bytes(int descriptor)
{
	struct statfs status;
	if (fstatfs(descriptor, &status) < 0)
		return -errno;
	if (status.f_blocks == 0)
		return -ENODATA;
	if (status.f_bfree > status.f_blocks)
		return 0;
	uint64_t blocks = status.f_blocks - status.f_bfree;
	if (status.f_bsize <= 0 || blocks > INT64_MAX / (uint64_t)status.f_bsize)
		return -ERANGE;
	return (int64_t)(blocks * (uint64_t)status.f_bsize);
}

void clinux_trim_heap(void)
{
	malloc_trim(0);
}
