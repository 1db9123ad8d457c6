// SPDX-License-Identifier: Apache-2.0
//
// Waits for a line before each step and says "done" behind it: leak (500 × 100 bytes), fork (a child that leaks 200 × 10
// and stays), map-often (300 times 200 pages mapped and unmapped but the last, in three seconds at least), exec PATH,
// map PATH (executable), lease PATH (the same, and whoever opens it has to wait). Ends with its input.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

void *volatile sink;

static void leave(void *p)
{
	sink = p;
	__asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) void leak_me(void);
__attribute__((noinline)) void leak_in_child(void);
void leak_me(void)
{
	leave(malloc(100));
}
void leak_in_child(void)
{
	leave(malloc(10));
}

__attribute__((noinline)) void map_page(bool stays);
void map_page(bool stays)
{
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page != MAP_FAILED && !stays)
		munmap(page, bytes);
}

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(1);
}

// Without stdio: nothing but the leaks allocates.
static char *next(void)
{
	static char line[4096];
	size_t length = 0;
	while (length < sizeof line - 1) {
		if (read(0, line + length, 1) != 1)
			return NULL;
		if (line[length] == '\n')
			break;
		length++;
	}
	line[length] = 0;
	return line;
}

int main(int argc, char **argv)
{
	(void)argc;
	char ready[64];
	snprintf(ready, sizeof ready, "{\"type\":\"ready\",\"pid\":%d}\n", getpid());
	say(ready);
	char *step;
	while ((step = next())) {
		if (!strcmp(step, "leak")) {
			for (int i = 0; i < 500; i++)
				leak_me();
		} else if (!strcmp(step, "fork")) {
			int done[2];
			if (pipe(done) < 0)
				return 1;
			if (fork() == 0) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				for (int i = 0; i < 200; i++)
					leak_in_child();
				if (write(done[1], "x", 1) != 1)
					_exit(1);
				for (;;)
					pause();
			}
			char byte;
			if (read(done[0], &byte, 1) != 1)
				return 1;
			close(done[0]);
			close(done[1]);
		} else if (!strcmp(step, "map-often")) {
			for (int i = 0; i < 300; i++) {
				for (int page = 0; page < 200; page++)
					map_page(page == 199);
				usleep(10000);
			}
		} else if (!strncmp(step, "exec ", 5)) {
			execl(step + 5, step + 5, (char *)NULL);
			perror(step + 5);
			return 1;
		} else if (!strncmp(step, "map ", 4)) {
			int file = open(step + 4, O_RDONLY);
			if (file < 0 || mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0) == MAP_FAILED)
				perror(step + 4);
			close(file);
		} else if (!strncmp(step, "lease ", 6)) {
			int file = open(step + 6, O_RDONLY);
			signal(SIGIO, SIG_IGN);
			if (file < 0 || mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0) == MAP_FAILED ||
			    fcntl(file, F_SETLEASE, F_WRLCK) < 0)
				perror(step + 6);
		} else {
			fprintf(stderr, "%s: no such step: %s\n", argv[0], step);
			return 1;
		}
		say("{\"type\":\"done\"}\n");
	}
	return 0;
}
