// SPDX-License-Identifier: Apache-2.0
// Prints the run-time address of its functions, then waits for its standard input to close.
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) static int local_function(int x)
{
	return x * 3 + 1;
}

__attribute__((noinline)) int exported_function(int x)
{
	return local_function(x) + 2;
}

// One address, several names; the global one with fewest underscores must win.
__attribute__((alias("exported_function"))) int __exported_function(int x);
__attribute__((weak, alias("exported_function"))) int weak(int x);

static inline __attribute__((always_inline)) int inlined_twice(int x)
{
	return exported_function(x) ^ 0x55; // LINE inner
}

static inline __attribute__((always_inline)) int inlined_once(int x)
{
	return inlined_twice(x) - 7; // LINE middle
}

__attribute__((noinline)) int calls_inlined(int x)
{
	return inlined_once(x) + 11; // LINE outer
}

#if defined(__x86_64__) || defined(__aarch64__)
static int chosen(int x)
{
	return x + 5;
}
static void *resolve(void)
{
	return (void *)chosen;
}
int indirect_function(int x) __attribute__((ifunc("resolve")));
#endif

int main(void)
{
	printf("local_function %p\n", (void *)local_function);
	printf("exported_function %p\n", (void *)exported_function);
	printf("calls_inlined %p\n", (void *)calls_inlined);
	printf("main %p\n", (void *)main);
	printf("malloc %p\n", (void *)malloc);
	puts("ready");
	fflush(stdout);
	int unused = calls_inlined(getchar());
	return unused == 42;
}
