// SPDX-License-Identifier: Apache-2.0
//
// What is taken of the C library, whichever it is: glibc and musl agree on all of this, on every 64-bit machine. It is
// declared here, for no library's headers need be there when the sampler is built for another machine. Weak is what a
// process may lack.
#ifndef SWIFTMEM_SAMPLER_LIBC_H
#define SWIFTMEM_SAMPLER_LIBC_H

#include <stddef.h>
#include <stdint.h>

#define WEAK __attribute__((weak))

#define EINVAL 22
#define ENOMEM 12
extern int *__errno_location(void);
#define errno (*__errno_location())

#define RTLD_NEXT ((void *)-1L)
#define RTLD_LAZY 1
#define RTLD_NOLOAD 4

struct object_info {
	const char *file;
	void *base;
	const char *symbol;
	void *address;
};

extern void *dlsym(void *library, const char *name) WEAK;
extern void *dlopen(const char *file, int mode) WEAK;
extern int dladdr(const void *address, struct object_info *info) WEAK;

#define CLOCK_MONOTONIC 1

struct time {
	int64_t seconds;
	int64_t nanoseconds;
};

extern int clock_gettime(int clock, struct time *time) WEAK;
extern char **environ WEAK;
extern int getpagesize(void);
extern void abort(void) __attribute__((noreturn));

#endif
