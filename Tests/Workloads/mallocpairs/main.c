// SPDX-License-Identifier: Apache-2.0
//
// mallocpairs: pairs of malloc and free, and what each costs in CPU time, tracing included.
#include "../include/workload.h"
#include <pthread.h>
#include <time.h>

static const char usage[] =
	"usage: mallocpairs [options]\n"
	"Pairs of malloc and free in a loop; prints the CPU time of one, system time of probes included, as JSON.\n"
	"  --pairs N     in each thread (default 100000)\n"
	"  --threads N   at once (default 1)\n"
	"  --size N      bytes a block (default 64)\n"
	"  --depth N     frames above main, or the thread's start, that call malloc (default 1)\n"
	"  --keep N      blocks allocated first and kept to the end (default 0)\n"
	"  --wait        print {\"type\":\"ready\"} and wait for a line first\n"
	"exit: 0 done, 64 wrong options, 1 anything else\n";

static struct {
	uint64_t pairs, threads, size, depth, keep;
	bool wait;
} opt = { 100000, 1, 64, 1, 0, false };

static volatile uintptr_t sink;

static void loop(uint64_t pairs)
{
	for (uint64_t i = 0; i < pairs; i++) {
		void *block = malloc(opt.size);
		sink = (uintptr_t)block;
		free(block);
	}
}

__attribute__((noinline)) static void descend(uint64_t depth)
{
	if (depth > 1)
		descend(depth - 1);
	else
		loop(opt.pairs);
	sink = depth; // no tail call
}

static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *work(void *result)
{
	loop(1000); // warm: the arena, the probes' state of this thread
	uint64_t before = cpu_ns();
	descend(opt.depth);
	*(uint64_t *)result = cpu_ns() - before;
	return NULL;
}

int main(int argc, char **argv)
{
	w_start("mallocpairs");
	enum { PAIRS = 256, THREADS, SIZE, DEPTH, KEEP, WAIT, HELP };
	static const struct option longs[] = { { "pairs", 1, 0, PAIRS }, { "threads", 1, 0, THREADS },
					       { "size", 1, 0, SIZE },	 { "depth", 1, 0, DEPTH },
					       { "keep", 1, 0, KEEP },	 { "wait", 0, 0, WAIT },
					       { "help", 0, 0, HELP },	 { 0 } };
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case PAIRS: opt.pairs = (uint64_t)w_number("pairs", optarg, 1, INT64_MAX); break;
		case THREADS: opt.threads = (uint64_t)w_number("threads", optarg, 1, 64); break;
		case SIZE: opt.size = (uint64_t)w_number("size", optarg, 1, 1 << 30); break;
		case DEPTH: opt.depth = (uint64_t)w_number("depth", optarg, 1, 10000); break;
		case KEEP: opt.keep = (uint64_t)w_number("keep", optarg, 0, 100000000); break;
		case WAIT: opt.wait = true; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	if (optind < argc)
		w_die(W_USAGE, 0, "%s: not an option (see --help)", argv[optind]);
	w_wait(opt.wait, NULL, 0);

	for (uint64_t i = 0; i < opt.keep; i++) {
		char *block = malloc(opt.size);
		if (!block)
			w_die(W_FAILED, ENOMEM, "block %" PRIu64, i);
		*block = 1;
		sink = (uintptr_t)block;
	}
	uint64_t spent[64] = { 0 }, sum = 0;
	if (opt.threads == 1)
		work(&spent[0]);
	else {
		pthread_t threads[64];
		for (uint64_t i = 0; i < opt.threads; i++)
			if (pthread_create(&threads[i], NULL, work, &spent[i]))
				w_die(W_FAILED, errno, "thread");
		for (uint64_t i = 0; i < opt.threads; i++)
			pthread_join(threads[i], NULL);
	}
	for (uint64_t i = 0; i < opt.threads; i++)
		sum += spent[i];
	j_begin_truth();
	j_uint("pairs", opt.pairs * opt.threads);
	j_uint("threads", opt.threads);
	j_uint("size_bytes", opt.size);
	j_uint("kept_blocks", opt.keep);
	j_uint("cpu_ns", sum);
	j_end_line();
	w_finish();
}
