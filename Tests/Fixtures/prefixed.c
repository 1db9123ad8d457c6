// SPDX-License-Identifier: Apache-2.0
//
// An allocator in the program, its functions behind a prefix, beside the C library's.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *volatile sink;

static void leave(void *p)
{
	sink = p;
	__asm__ volatile("" : : : "memory");
}

#define OWN __attribute__((noinline))
OWN void *my_malloc(size_t size);
OWN void my_free(void *p);
OWN void *my_calloc(size_t count, size_t size);
OWN void *my_realloc(void *p, size_t size);
OWN void leak_own(void);
OWN void leak_own_realloc(void);
OWN void leak_libc(void);

static char arena[16 << 20];
static size_t used;

void *my_malloc(size_t size)
{
	size_t need = (size + 31) & ~(size_t)15;
	if (need > sizeof arena - used)
		return NULL;
	char *p = arena + used;
	used += need;
	memcpy(p, &size, sizeof size);
	return p + 16;
}
void my_free(void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}
void *my_calloc(size_t count, size_t size)
{
	return my_malloc(count * size);
}
void *my_realloc(void *p, size_t size)
{
	void *q = my_malloc(size);
	if (p && q)
		memcpy(q, p, 8);
	my_free(p);
	return q;
}

void leak_own(void)
{
	leave(my_malloc(100));
}
void leak_own_realloc(void)
{
	leave(my_calloc(2, 30));
	leave(my_realloc(sink, 200));
}
void leak_libc(void)
{
	leave(malloc(70));
}

int main(void)
{
	for (int i = 0; i < 300; i++) {
		leak_own();
		leak_own_realloc();
		leak_libc();
		leave(my_malloc(10));
		my_free(sink);
	}
	return 0;
}
