// SPDX-License-Identifier: Apache-2.0
//
// crowds KIND COUNT: has more of something than anybody needs, says so, and leaks 500 × 100 bytes for each line that it
// reads, with "done" behind them. Ends with its input.
//   mappings  of its own file, executable, one beside the other
//   threads   that rest
//   churn     a thread that maps and unmaps the C library without end
//   bomb      children that leak, fork and end, without end
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void *volatile sink;

__attribute__((noinline)) void leak_me(void);
__attribute__((noinline)) void leak_in_bomb(void);
void leak_me(void)
{
	sink = malloc(100);
	__asm__ volatile("" : : : "memory");
}
void leak_in_bomb(void)
{
	sink = malloc(10);
	__asm__ volatile("" : : : "memory");
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int mappings(long count)
{
	int own = open("/proc/self/exe", O_RDONLY);
	for (long i = 0; i < count; i++) // neighbours that differ are not made one
		if (mmap(NULL, 4096, i % 2 ? PROT_READ | PROT_EXEC : PROT_READ, MAP_PRIVATE, own, 0) == MAP_FAILED)
			return fail("mmap");
	close(own);
	return 0;
}

static void *rest(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static int threads(long count)
{
	pthread_attr_t small;
	pthread_t thread;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN);
	for (long i = 0; i < count; i++)
		if (pthread_create(&thread, &small, rest, NULL))
			return fail("pthread_create");
	return 0;
}

// The C library's path, from a line of /proc/self/maps.
static int library(void)
{
	char line[PATH_MAX + 128];
	int file = -1;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (maps && file < 0 && fgets(line, sizeof line, maps)) {
		char *path = strchr(line, '/');
		if (path && strstr(path, "libc.so")) {
			path[strcspn(path, "\n")] = 0;
			file = open(path, O_RDONLY);
		}
	}
	return file;
}

static void *churn(void *argument)
{
	int file = (int)(long)argument;
	for (;;) {
		void *code = mmap(NULL, 1 << 20, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
		if (code == MAP_FAILED)
			abort();
		munmap(code, 1 << 20);
	}
	return NULL;
}

static int bomb(void)
{
	if (fork())
		return 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		if (fork() == 0) {
			for (int i = 0; i < 10; i++)
				leak_in_bomb();
			if (fork() == 0)
				leak_in_bomb();
			_exit(0);
		}
		usleep(200);
	}
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	long count = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	pthread_t thread;
	int failed = 0;
	if (!strcmp(kind, "mappings"))
		failed = mappings(count);
	else if (!strcmp(kind, "threads"))
		failed = threads(count);
	else if (!strcmp(kind, "churn"))
		failed = pthread_create(&thread, NULL, churn, (void *)(long)library());
	else if (!strcmp(kind, "bomb"))
		failed = bomb();
	if (failed)
		return 1;
	printf("{\"type\":\"ready\",\"pid\":%d}\n", getpid());
	fflush(stdout);
	char byte;
	while (read(0, &byte, 1) == 1) {
		if (byte != '\n')
			continue;
		for (int i = 0; i < 500; i++)
			leak_me();
		if (write(1, "{\"type\":\"done\"}\n", 16) != 16)
			return 1;
	}
	return 0;
}
