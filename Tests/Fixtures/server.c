// SPDX-License-Identifier: Apache-2.0
//
// A fork server: 10 children, one after the other, each of which frees what it has from the server, leaks 30 × 64 bytes
// of its own and ends. The server leaks 20 × 128 bytes a child. Says what it did, and waits for the end of its input.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void *volatile sink;
static void *blocks[200];

static void leave(void *p)
{
	sink = p;
	__asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) void leak_in_server(int i);
__attribute__((noinline)) void leak_in_child(void);
void leak_in_server(int i)
{
	leave(blocks[i] = malloc(128));
}
void leak_in_child(void)
{
	leave(malloc(64));
}

int main(void)
{
	for (int child = 0; child < 10; child++) {
		for (int i = 0; i < 20; i++)
			leak_in_server(child * 20 + i);
		int pid = fork();
		if (pid == 0) {
			for (int i = 0; i < (child + 1) * 20; i++)
				free(blocks[i]);
			for (int i = 0; i < 30; i++)
				leak_in_child();
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	if (write(1, "{\"type\":\"done\"}\n", 16) != 16)
		return 1;
	char byte;
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
