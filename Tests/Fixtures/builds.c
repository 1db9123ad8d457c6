// SPDX-License-Identifier: Apache-2.0
// The least that leaks: for builds of all kinds.
#include <stdlib.h>

void *volatile sink;

__attribute__((noinline)) static void leave(void *p)
{
	sink = p;
	__asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) void leak_me(void);
void leak_me(void)
{
	leave(malloc(100));
	__asm__ volatile("");
}

int main(void)
{
	for (int i = 0; i < 500; i++) {
		leak_me();
		leave(malloc(50));
		free(sink);
	}
	return 0;
}
