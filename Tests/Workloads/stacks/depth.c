// SPDX-License-Identifier: Apache-2.0
//
// depth FRAMES PAIRS: pairs of malloc and free below so many frames; prints nanoseconds of CPU time a pair. For the
// bench: what a captured stack costs, built with frame pointers or without.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile long pairs;
static void *volatile sink;

__attribute__((noinline)) static long below(int frames)
{
	if (frames > 0) {
		long n = below(frames - 1);
		__asm__ volatile("" ::: "memory");
		return n + 1;
	}
	for (long i = 0; i < pairs; i++) {
		sink = malloc(64);
		free(sink);
	}
	return 0;
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	int frames = argc > 1 ? atoi(argv[1]) : 1;
	pairs = 1000;
	getchar();
	below(frames);
	pairs = argc > 2 ? atol(argv[2]) : 100000;
	double begun = seconds();
	below(frames);
	printf("%.0f\n", (seconds() - begun) * 1e9 / (double)pairs);
	return 0;
}
