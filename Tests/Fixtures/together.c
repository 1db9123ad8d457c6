// SPDX-License-Identifier: Apache-2.0
//
// together FILE|- THREADS PAGES: threads that each touch so many pages at once, of a file that is cached, or of memory
// that is swapped out before. Waits for a line before each step and says "done" behind it: out (swaps out, and says how
// many pages), touch. Ends with its input.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *memory;
static size_t page, each;
static pthread_barrier_t barrier;

static void *touch(void *argument)
{
	volatile char *own = memory + (size_t)argument * each * page;

	pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < each; i++)
		(void)own[i * page];
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void map_file(const char *path, size_t bytes)
{
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (file < 0)
		fail(path);
	char *one = malloc(page);
	memset(one, 1, page);
	for (size_t at = 0; at < bytes; at += page)
		if (write(file, one, page) != (ssize_t)page)
			fail(path);
	free(one);
	memory = mmap(NULL, bytes, PROT_READ, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	// a huge folio would be mapped at once: which file's no tracepoint tells. Without huge pages there is no such advice
	if (madvise(memory, bytes, MADV_NOHUGEPAGE) && errno != EINVAL)
		fail("madvise");
}

static void map_memory(size_t bytes)
{
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	// a fault a page, and no page but that one
	if (madvise(memory, bytes, MADV_NOHUGEPAGE) || madvise(memory, bytes, MADV_RANDOM))
		fail("madvise");
	for (size_t i = 0; i < bytes; i++)
		memory[i] = (char)(i * 2654435761u >> 24);
}

static size_t swapped_pages(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	size_t kilobytes = 0;

	while (status && fgets(line, sizeof line, status))
		sscanf(line, "VmSwap: %zu", &kilobytes);
	if (status)
		fclose(status);
	return kilobytes * 1024 / page;
}

static void swap_out(size_t bytes)
{
	for (int i = 0; i < 50 && swapped_pages() * page < bytes; i++) {
		if (madvise(memory, bytes, MADV_PAGEOUT))
			fail("madvise");
		usleep(20000);
	}
	printf("{\"type\":\"together\",\"pages\":%zu}\n", swapped_pages());
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 64;
	size_t threads = strtoul(argv[2], NULL, 10);
	char line[64];
	pthread_t thread;

	page = (size_t)sysconf(_SC_PAGESIZE);
	each = strtoul(argv[3], NULL, 10);
	size_t bytes = threads * each * page;
	if (strcmp(argv[1], "-") != 0)
		map_file(argv[1], bytes);
	else
		map_memory(bytes);
	pthread_barrier_init(&barrier, NULL, threads + 1);
	for (size_t i = 0; i < threads; i++)
		if (pthread_create(&thread, NULL, touch, (void *)i))
			fail("pthread_create");
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("{\"type\":\"ready\",\"pid\":%d}\n", getpid());
	while (fgets(line, sizeof line, stdin)) {
		if (!strcmp(line, "out\n")) {
			swap_out(bytes);
		} else {
			pthread_barrier_wait(&barrier);
			pthread_barrier_wait(&barrier);
		}
		printf("{\"type\":\"done\"}\n");
	}
	return 0;
}
