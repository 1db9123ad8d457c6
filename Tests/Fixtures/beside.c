// SPDX-License-Identifier: Apache-2.0
//
// Threads whose first call of the allocator is a free, so that it makes an arena (an mmap of 64 MiB) below free; and
// known leaks by each function that one may watch. 8 threads; 500 blocks of 100 bytes by malloc, 300 of 40 by calloc,
// 200 that realloc makes 90 of 30, 100 of 256 by posix_memalign, 3 of 1 MiB, 4 mappings of 3 pages.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { THREADS = 8 };
void *volatile sink;

static void *keep(void *p)
{
	sink = p;
	__asm__ volatile("" : : : "memory");
	return p;
}

#define LEAKS(name, count, call) \
	__attribute__((noinline)) void name(void); \
	void name(void) \
	{ \
		for (int i = 0; i < (count); i++) { \
			void *p = NULL; \
			keep(call); \
			if (!sink) \
				_exit(1); \
		} \
	}

LEAKS(leak_malloc, 500, malloc(100))
LEAKS(leak_calloc, 300, calloc(4, 10))
LEAKS(leak_realloc, 200, realloc(keep(malloc(30)), 90))
LEAKS(leak_aligned, 100, posix_memalign(&p, 64, 256) ? NULL : p)
LEAKS(leak_large, 3, malloc(1 << 20))
LEAKS(leak_mapped, 4, mmap(NULL, 12288, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))

__attribute__((noinline)) void leak_none(void);
void leak_none(void)
{
	for (int i = 0; i < 2000; i++)
		free(keep(malloc(300)));
}

static void *free_first(void *block)
{
	free(block);
	leak_none();
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];

	leak_malloc();
	leak_calloc();
	leak_realloc();
	leak_aligned();
	leak_large();
	leak_mapped();
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, free_first, malloc(77)))
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
