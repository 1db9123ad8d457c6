// SPDX-License-Identifier: Apache-2.0
//
// leaker: a known number of allocations that nobody frees, in functions of known names. Truth: what is outstanding, by
// kind and by process.
#include "../include/workload.h"
#include "kinds.h"

static const char usage[] =
	"usage: leaker [options]\n"
	"Leaks a known amount, prints the truth as one line of JSON.\n"
	"  --kind K[,K...]  malloc (default) calloc realloc memalign posix_memalign aligned_alloc valloc strdup\n"
	"                   mmap (whole pages), mmap-part (3 of 4 pages stay), big (malloc of 1 MB, so by mmap),\n"
	"                   realloc-chain (16 x size stays), deep (--depth frames), new-thread-first (a thread a leak),\n"
	"                   cross-free (half of twice as many freed by another thread), fork (the child frees the parent's\n"
	"                   and leaks half as many of twice the size), failed (calls that fail, and one block each)\n"
	"  --count N        leaks of each kind (default 1000)\n"
	"  --size N         bytes each (default 100)\n"
	"  --threads N      leak in N threads, each --count (default 0: in the main thread)\n"
	"  --depth N        frames of leak_deep (default 50)\n"
	"  --churn N        million pairs of malloc and free first, in each thread (default 0)\n"
	"  --pause-us N     after each leak (default 0)\n"
	"  --wait --hold    print {\"type\":\"ready\"} and wait for a line first; at the end wait for the end of stdin\n"
	"  --exit           don't hold (default)\n"
	"exit: 0 done, 64 wrong options, 1 anything else\n";

static struct options {
	const char *kinds;
	uint64_t count, size, churn;
	int threads, depth;
	bool wait, hold;
} opt = { .kinds = "malloc", .count = 1000, .size = 100, .depth = 50 };

enum kind {
	MALLOC,
	CALLOC,
	REALLOC,
	MEMALIGN,
	POSIX_MEMALIGN,
	ALIGNED_ALLOC,
	VALLOC,
	STRDUP,
	MMAP,
	MMAP_PART,
	BIG,
	REALLOC_CHAIN,
	DEEP,
	NEW_THREAD_FIRST,
	CROSS_FREE,
	FORK,
	FAILED,
	KINDS
};
static const struct {
	const char *name, *function;
} kinds[KINDS] = { { "malloc", "leak_here" },
		   { "calloc", "leak_calloc" },
		   { "realloc", "leak_realloc" },
		   { "memalign", "leak_memalign" },
		   { "posix_memalign", "leak_posix_memalign" },
		   { "aligned_alloc", "leak_aligned_alloc" },
		   { "valloc", "leak_valloc" },
		   { "strdup", "leak_strdup" },
		   { "mmap", "leak_mmap" },
		   { "mmap-part", "leak_mmap_part" },
		   { "big", "leak_here" },
		   { "realloc-chain", "leak_realloc_chain" },
		   { "deep", "leak_deep" },
		   { "new-thread-first", "leak_in_thread" },
		   { "cross-free", "leak_here" },
		   { "fork", "leak_here" },
		   { "failed", "leak_failed" } };
static bool wanted[KINDS];
static struct tally tallies[KINDS], child_tally;
static pid_t child;

// A freed block: what keep() counted is taken back.
static void give_back(struct tally *t, void *p, uint64_t size)
{
	t->chunk_bytes -= chunk_size(p);
	t->outstanding--;
	t->outstanding_bytes -= size;
	t->frees++;
	free(p);
}

static uint32_t cross_from;
static void *free_elsewhere(void *tally)
{
	for (uint64_t i = 0; i < opt.count; i++)
		give_back(tally, leaked[cross_from + 2 * i], opt.size);
	return NULL;
}

// The child frees all that it has from the parent, leaks its own, and stays until the parent goes.
static void leak_and_fork(struct tally *t)
{
	uint32_t from = leaked_count;
	for (uint64_t i = 0; i < opt.count; i++)
		keep(leak_here(opt.size), t, opt.size, true);
	int done[2];
	struct tally *mine = &child_tally;
	pid_t parent = getpid();
	if (pipe2(done, O_CLOEXEC) < 0)
		w_die(W_FAILED, errno, "pipe");
	fflush(stdout);
	child = fork();
	if (child < 0)
		w_die(W_FAILED, errno, "fork");
	if (child == 0) {
		w_die_with(parent);
		struct tally inherited = *t;
		for (uint64_t i = 0; i < opt.count; i++)
			give_back(&inherited, leaked[from + i], opt.size);
		for (uint64_t i = 0; i < opt.count / 2; i++)
			keep(leak_here(2 * opt.size), mine, 2 * opt.size, true);
		mine->frees = opt.count;
		if (write(done[1], mine, sizeof *mine) != sizeof *mine)
			_exit(W_FAILED);
		for (;;)
			pause();
	}
	w_undo_process(child);
	close(done[1]);
	if (read(done[0], mine, sizeof *mine) != sizeof *mine)
		w_die(W_FAILED, 0, "the child failed");
	close(done[0]);
}

static void leak(enum kind kind, struct tally *t)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), size = opt.size, mapped = (size + page - 1) / page * page;
	if (kind == FORK) {
		leak_and_fork(t);
		return;
	}
	uint32_t from = leaked_count;
	for (uint64_t i = 0; i < opt.count; i++)
		switch (kind) {
		case MALLOC: keep(leak_here(size), t, size, true); break;
		case CALLOC: keep(leak_calloc(size), t, size, true); break;
		case REALLOC: keep(leak_realloc(size), t, size, true); break;
		case MEMALIGN: keep(leak_memalign(size), t, size, true); break;
		case POSIX_MEMALIGN: keep(leak_posix_memalign(size), t, size, true); break;
		case ALIGNED_ALLOC: keep(leak_aligned_alloc(size), t, (size + 63) & ~(uint64_t)63, true); break;
		case VALLOC: keep(leak_valloc(size), t, size, true); break;
		case STRDUP: keep(leak_strdup(size), t, size, true); break;
		case MMAP: keep(leak_mmap(mapped), t, mapped, false); break;
		case MMAP_PART:
			keep(leak_mmap_part(page), t, 3 * page, false);
			t->frees++;
			break;
		case BIG: keep(leak_here(1 << 20), t, 1 << 20, true); break;
		case REALLOC_CHAIN: keep(leak_realloc_chain(size, t), t, 16 * size, true); break;
		case DEEP: keep(leak_deep(size, opt.depth), t, size, true); break;
		case FAILED: keep(leak_failed(size, t), t, size, true); break;
		case CROSS_FREE:
			keep(leak_here(size), t, size, true);
			keep(leak_here(size), t, size, true);
			break;
		case NEW_THREAD_FIRST: {
			pthread_t id;
			void *p;
			size_t argument = size;
			int e = pthread_create(&id, NULL, leak_in_thread, &argument);
			if (e)
				w_die(W_FAILED, e, "thread");
			pthread_join(id, &p);
			keep(p, t, size, true);
			break;
		}
		case FORK:
		case KINDS: break;
		}
	if (kind == CROSS_FREE) {
		pthread_t id;
		cross_from = from;
		int e = pthread_create(&id, NULL, free_elsewhere, t);
		if (e)
			w_die(W_FAILED, e, "thread");
		pthread_join(id, NULL);
	}
}

struct thread {
	pthread_t id;
	struct tally tallies[KINDS];
};

static void work(struct tally *mine, uint64_t seed)
{
	churn_here(opt.churn * 1000000, seed);
	for (int k = 0; k < KINDS; k++)
		if (wanted[k])
			leak((enum kind)k, &mine[k]);
}

static void *thread_main(void *argument)
{
	struct thread *t = argument;
	work(t->tallies, (uint64_t)(uintptr_t)t);
	return NULL;
}

static void add(struct tally *sum, const struct tally *t)
{
	sum->allocations += t->allocations;
	sum->frees += t->frees;
	sum->failed += t->failed;
	sum->outstanding += t->outstanding;
	sum->outstanding_bytes += t->outstanding_bytes;
	sum->chunk_bytes += t->chunk_bytes;
}

static void print_tally(const struct tally *t)
{
	j_uint("allocations", t->allocations);
	j_uint("frees", t->frees);
	j_uint("failed_calls", t->failed);
	j_uint("outstanding_count", t->outstanding);
	j_uint("outstanding_bytes", t->outstanding_bytes);
	j_uint("chunk_bytes", t->chunk_bytes);
}

static void parse(int argc, char **argv)
{
	enum { KIND = 256, COUNT, SIZE, THREADS, DEPTH, CHURN, PAUSE, WAIT, HOLD, EXIT, HELP };
	static const struct option longs[] = { { "kind", 1, 0, KIND },	    { "count", 1, 0, COUNT },
					       { "size", 1, 0, SIZE },	    { "threads", 1, 0, THREADS },
					       { "depth", 1, 0, DEPTH },    { "churn", 1, 0, CHURN },
					       { "pause-us", 1, 0, PAUSE }, { "wait", 0, 0, WAIT },
					       { "hold", 0, 0, HOLD },	    { "exit", 0, 0, EXIT },
					       { "help", 0, 0, HELP },	    { 0 } };
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case KIND: opt.kinds = optarg; break;
		case COUNT: opt.count = (uint64_t)w_number("count", optarg, 0, MAX_LEAKS); break;
		case SIZE: opt.size = (uint64_t)w_number("size", optarg, 1, 1 << 30); break;
		case THREADS: opt.threads = (int)w_number("threads", optarg, 0, 256); break;
		case DEPTH: opt.depth = (int)w_number("depth", optarg, 1, 10000); break;
		case CHURN: opt.churn = (uint64_t)w_number("churn", optarg, 0, 1000000); break;
		case PAUSE: pause_us = w_number("pause-us", optarg, 0, 999999); break;
		case WAIT: opt.wait = true; break;
		case HOLD: opt.hold = true; break;
		case EXIT: opt.hold = false; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	if (optind < argc)
		w_die(W_USAGE, 0, "%s: not an option (see --help)", argv[optind]);
	int asked = 0;
	for (const char *at = opt.kinds; *at; at += strcspn(at, ","), at += *at == ',') {
		size_t length = strcspn(at, ",");
		int k = 0;
		while (k < KINDS && (strlen(kinds[k].name) != length || strncmp(kinds[k].name, at, length)))
			k++;
		if (k == KINDS)
			w_die(W_USAGE, 0, "--kind %.*s: no such kind (see --help)", (int)length, at);
		wanted[k] = true;
		asked++;
	}
	if (!asked)
		w_die(W_USAGE, 0, "--kind: which?");
	if (opt.threads && (wanted[FORK] || wanted[CROSS_FREE]))
		w_die(W_USAGE, 0, "fork and cross-free are of the main thread: no --threads");
	if (opt.count * (uint64_t)(opt.threads ? opt.threads : 1) * (uint64_t)asked * 2 > MAX_LEAKS)
		w_die(W_USAGE, 0, "at most %d leaks in all", MAX_LEAKS / 2);
	if (wanted[STRDUP] && opt.size > 1 << 16)
		w_die(W_USAGE, 0, "strdup: at most 65536 bytes");
}

// Bytes of all arenas and of mmapped chunks in use, as the allocator counts them; false where glibc (< 2.33) can't.
static bool allocator_in_use(uint64_t *bytes)
{
#if __GLIBC_PREREQ(2, 33)
	struct mallinfo2 m = mallinfo2();
	*bytes = m.uordblks + m.hblkhd;
	return true;
#else
	*bytes = 0;
	return false;
#endif
}

int main(int argc, char **argv)
{
	static struct thread threads[256];
	w_start("leaker");
	parse(argc, argv);
	free(escape(malloc(1))); // the allocator's own first allocation is not of the work
	w_wait(opt.wait, NULL, 0);

	uint64_t before, after;
	bool counted = allocator_in_use(&before);
	uint64_t began = w_now_ns(CLOCK_MONOTONIC);
	if (opt.threads) {
		for (int i = 0; i < opt.threads; i++) {
			int e = pthread_create(&threads[i].id, NULL, thread_main, &threads[i]);
			if (e)
				w_die(W_FAILED, e, "thread %d", i);
		}
		for (int i = 0; i < opt.threads; i++) {
			pthread_join(threads[i].id, NULL);
			for (int k = 0; k < KINDS; k++)
				add(&tallies[k], &threads[i].tallies[k]);
		}
	} else
		work(tallies, 1);
	uint64_t took = w_now_ns(CLOCK_MONOTONIC) - began;
	allocator_in_use(&after);

	struct tally total = { 0 };
	j_begin_truth();
	j_uint("count", opt.count);
	j_uint("size_bytes", opt.size);
	j_int("threads", opt.threads);
	j_uint("churn_pairs", opt.churn * 1000000 * (uint64_t)(opt.threads ? opt.threads : 1));
	j_uint("duration_ns", took);
	j_open("kinds", '[');
	for (int k = 0; k < KINDS; k++)
		if (wanted[k]) {
			j_open(NULL, '{');
			j_text("kind", kinds[k].name);
			j_text("function", kinds[k].function);
			print_tally(&tallies[k]);
			j_close('}');
			add(&total, &tallies[k]);
		}
	j_close(']');
	print_tally(&total);
	if (counted)
		j_int("allocator_in_use_delta_bytes", (int64_t)(after - before));
	if (child) {
		j_open("child", '{');
		j_int("pid", child);
		print_tally(&child_tally);
		j_close('}');
	}
	j_end_line();
	w_hold(opt.hold);
	w_finish();
}
