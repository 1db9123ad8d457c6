// SPDX-License-Identifier: Apache-2.0
//
// Each function of an allocator, from a function that is named after it; 300 of each, and as many freed again.
// The functions not in every C library are in moves.c.
#include <stdlib.h>

void *volatile sink;

static void leave(void *p)
{
	sink = p;
	__asm__ volatile("" : : : "memory");
}

#define LEAK __attribute__((noinline)) void
LEAK leak_malloc(void);
LEAK leak_calloc(void);
LEAK leak_realloc(void);
LEAK leak_posix_memalign(void);
LEAK leak_aligned_alloc(void);
LEAK leak_big(void);
LEAK churn(void);

LEAK leak_malloc(void)
{
	leave(malloc(100));
}
LEAK leak_calloc(void)
{
	leave(calloc(3, 7));
}
LEAK leak_realloc(void)
{
	leave(malloc(5));
	leave(realloc(sink, 3000));
}
LEAK leak_posix_memalign(void)
{
	void *p;
	if (posix_memalign(&p, 64, 200))
		abort();
	leave(p);
}
LEAK leak_aligned_alloc(void)
{
	leave(aligned_alloc(64, 128));
}
LEAK leak_big(void)
{
	leave(malloc(1 << 20));
}

LEAK churn(void)
{
	leave(malloc(50));
	free(sink);
	leave(calloc(1, 600000)); // where many allocators map memory
	free(sink);
	leave(malloc(4));
	leave(realloc(sink, 400000));
	free(sink);
}

int main(void)
{
	for (int i = 0; i < 300; i++) {
		leak_malloc();
		leak_calloc();
		leak_realloc();
		leak_posix_memalign();
		leak_aligned_alloc();
		churn();
	}
	for (int i = 0; i < 20; i++)
		leak_big();
	return 0;
}
