// SPDX-License-Identifier: Apache-2.0
//
// mimalloc's own functions, which Rust programs with mimalloc call rather than malloc.
#include <stddef.h>

void *mi_zalloc(size_t size);
void *mi_malloc_aligned(size_t size, size_t alignment);
void *mi_realloc_aligned(void *p, size_t size, size_t alignment);
void mi_free(void *p);
void mi_free_size(void *p, size_t size);

void *volatile sink;

static void leave(void *p)
{
	sink = p;
	__asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) void leak_zalloc(void);
__attribute__((noinline)) void leak_aligned(void);
__attribute__((noinline)) void leak_realigned(void);

void leak_zalloc(void)
{
	leave(mi_zalloc(100));
}
void leak_aligned(void)
{
	leave(mi_malloc_aligned(200, 64));
}
void leak_realigned(void)
{
	leave(mi_malloc_aligned(30, 32));
	leave(mi_realloc_aligned(sink, 9000, 32));
}

int main(void)
{
	for (int i = 0; i < 300; i++) {
		leak_zalloc();
		leak_aligned();
		leak_realigned();
		leave(mi_zalloc(60000));
		mi_free(sink);
		leave(mi_malloc_aligned(40, 16));
		mi_free_size(sink, 40);
	}
	return 0;
}
