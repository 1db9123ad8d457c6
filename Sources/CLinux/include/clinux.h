// SPDX-License-Identifier: Apache-2.0
// What of the kernel's interface the C library has and Swift's Glibc module leaves out.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

// setns() to an IPC namespace. Returns 0 or -errno.
int clinux_enter_ipc_namespace(int descriptor);

// Gives up all capabilities but those whose bits are set, and any way to new ones (capabilities(7)); what this thread
// does not have it does not get. Returns 0 or -errno.
int clinux_keep_capabilities(uint64_t kept);

// Opens a path, but nothing that it leads to (O_PATH). Gives a descriptor or -errno.
int clinux_open_name(const char *_Nonnull path);

// Opens a path as a process sees it whose root directory `root` is: links lead nowhere else, and none of /proc's are
// followed; without `follow` no link at all. Nothing that it leads to is opened. Gives a descriptor or -errno.
int clinux_open_below(int root, const char *_Nonnull path, int follow, int cross);

// The same where the kernel has no openat2: name by name, without any link.
int clinux_open_by_names(int root, const char *_Nonnull path);

// The device of the kernel's own tmpfs, which memfds, shared anonymous memory and System V segments lie in: major << 32
// and minor. -1 where it is not known.
int64_t clinux_shared_memory_device(void);

// A file of these bytes that has no name (memfd_create(2)). Gives a descriptor or -errno.
int clinux_memory_file(const void *_Nullable bytes, size_t count);

// Begins to write a part of a file to its disk, and does not wait for it (sync_file_range(2)).
void clinux_begin_writing(int descriptor, int64_t offset, int64_t count);

// Gives free memory of the heap back to the kernel (malloc_trim(3)).
void clinux_trim_heap(void);

// Bytes in use on the file system of an open path (fstatfs(2)), or -errno; -ENODATA where it counts none, for it has
// no limit.
int64_t clinux_used_bytes(int descriptor);

#endif
