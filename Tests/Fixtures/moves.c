// SPDX-License-Identifier: Apache-2.0
//
// reallocarray, pvalloc, mremap: truth in the test.
#define _GNU_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

void *volatile sink;
static volatile size_t too_many = (size_t)-1; // volatile, so that the compiler does not know

static void leave(void *p)
{
	if (!p || p == MAP_FAILED)
		abort();
	sink = p;
	__asm__ volatile("" : : : "memory");
}

#define LEAK __attribute__((noinline)) void
LEAK leak_reallocarray(void);
LEAK leak_pvalloc(void);
LEAK leak_grown(void);
LEAK leak_shrunk(void);
LEAK leak_moved(void);
LEAK leak_nothing(void);

static void *map(size_t pages)
{
	return mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

LEAK leak_reallocarray(void)
{
	leave(malloc(10));
	leave(reallocarray(sink, 7, 30));
	// a product too large: the old block stays
	if (reallocarray(sink, too_many, 16))
		abort();
}
LEAK leak_pvalloc(void)
{
	leave(pvalloc(5000));
}
// 2 pages become 5, most likely elsewhere
LEAK leak_grown(void)
{
	leave(mremap(map(2), 2 * 4096, 5 * 4096, MREMAP_MAYMOVE));
}
// 6 pages become 4
LEAK leak_shrunk(void)
{
	leave(mremap(map(6), 6 * 4096, 4 * 4096, 0));
}
// 3 pages go to where 3 others are, which are gone by that
LEAK leak_moved(void)
{
	void *from = map(3), *to = map(3);
	leave(mremap(from, 3 * 4096, 3 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, to));
}
// mapped by two calls, unmapped by one
LEAK leak_nothing(void)
{
	char *p = map(4);
	leave(mmap(p + 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	munmap(p, 4 * 4096);
}

int main(void)
{
	for (int i = 0; i < 100; i++) {
		leak_reallocarray();
		leak_pvalloc();
		leak_grown();
		leak_shrunk();
		leak_moved();
		leak_nothing();
	}
	return 0;
}
