// SPDX-License-Identifier: Apache-2.0
//
// grows MB_PER_SECOND: grows by so much, in steps of 64 KiB, until it is killed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double rate = argc > 1 ? strtod(argv[1], NULL) * 1048576 : 0, begun = now();
	size_t done = 0;
	printf("{\"type\":\"ready\",\"pid\":%d}\n", getpid());
	fflush(stdout);
	for (;;) {
		size_t due = (size_t)((now() - begun) * rate);
		for (; done + 65536 <= due; done += 65536) {
			char *block = malloc(65536);
			if (!block)
				return 1;
			memset(block, 1, 65536);
		}
		usleep(5000);
	}
}
