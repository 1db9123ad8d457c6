// SPDX-License-Identifier: Apache-2.0
//
// jemalloc's own functions, which Rust programs with jemalloc call rather than malloc.
#include <stddef.h>
#include <stdlib.h>

void *mallocx(size_t size, int flags);
void *rallocx(void *p, size_t size, int flags);
void dallocx(void *p, int flags);
void sdallocx(void *p, size_t size, int flags);

void *volatile sink;

static void leave(void *p)
{
	sink = p;
	__asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) void leak_mallocx(void);
__attribute__((noinline)) void leak_rallocx(void);

void leak_mallocx(void)
{
	leave(mallocx(100, 0));
}
void leak_rallocx(void)
{
	leave(mallocx(30, 4)); // alignment 16
	leave(rallocx(sink, 700, 4));
}

int main(void)
{
	for (int i = 0; i < 300; i++) {
		leak_mallocx();
		leak_rallocx();
		leave(mallocx(40, 0));
		dallocx(sink, 0);
		leave(malloc(40));
		sdallocx(sink, 40, 0);
	}
	return 0;
}
