// SPDX-License-Identifier: Apache-2.0
//
// Holds a known amount of memory of one kind, which one counter of the kernel's has or none.
// Truth line, then a line on stdin: lets go and prints a `released` line; then the end of stdin: ends.
#include "descriptors.h"
#include "memory.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *ignored)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return ignored;
}

static void threads(struct holder *h)
{
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 1 << 16);
	pthread_mutex_lock(&gate);
	h->ids = calloc(h->threads, sizeof *h->ids);
	for (size_t i = 0; h->ids && i < h->threads; i++) {
		int e = pthread_create(&h->ids[i], &small, wait_at_gate, NULL);
		if (e)
			w_die(W_UNAVAILABLE, e, "thread %zu", i);
	}
}

static void join(struct holder *h)
{
	pthread_mutex_unlock(&gate);
	for (size_t i = 0; i < h->threads; i++)
		pthread_join(h->ids[i], NULL);
}

static const struct kind {
	const char *name;
	void (*hold)(struct holder *);
	void (*release)(struct holder *);
} kinds[] = {
	{ "anon", anon, unmap },
	{ "shared", shared, unmap },
	{ "memfd", memfd, unmap },
	{ "tmpfs", tmpfs, remove_file },
	{ "posix", posix, remove_file },
	{ "deleted", deleted, unmap },
	{ "sysv", segment, remove_segment },
	{ "tables", tables, unmap },
	{ "hugetlb", hugetlb, unmap },
	{ "threads", threads, join },
	{ "ring", ring, unmap },
	{ "pipes", pipes, close_all },
	{ "sockets", sockets, close_all },
	{ "urings", urings, close_all },
};

static void usage(FILE *to)
{
	fputs("workload-memholder --kind KIND [--megabytes N] [--threads N] [--directory PATH] [--wait]\n"
	      "  anon, shared (MAP_SHARED of no file), memfd, tmpfs and deleted (a file in the directory),\n"
	      "  posix (a file in /dev/shm), sysv (a segment that nobody is attached to), tables (page tables),\n"
	      "  hugetlb (from the pool of the usual size), threads, ring (a packet socket's), pipes (of 1 MiB each),\n"
	      "  sockets (pages in the queues of unix sockets), urings (io_uring's, and half as much again)\n",
	      to);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "kind", required_argument, NULL, 'k' },
		{ "megabytes", required_argument, NULL, 'm' },
		{ "threads", required_argument, NULL, 't' },
		{ "directory", required_argument, NULL, 'd' },
		{ "wait", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct holder h = { .bytes = 64 << 20, .directory = "/dev/shm", .threads = 200, .fd = -1, .shmid = -1 };
	const struct kind *kind = NULL;
	bool wait = false;
	int option;

	w_start("memholder");
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'k':
			for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
				if (strcmp(kinds[i].name, optarg) == 0)
					kind = &kinds[i];
			if (!kind)
				w_die(W_USAGE, 0, "--kind %s: no such kind", optarg);
			break;
		case 'm': h.bytes = (size_t)w_number("megabytes", optarg, 1, 65536) << 20; break;
		case 't': h.threads = (size_t)w_number("threads", optarg, 1, 100000); break;
		case 'd': h.directory = optarg; break;
		case 'w': wait = true; break;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return W_USAGE;
		}
	if (!kind || optind != argc) {
		usage(stderr);
		return W_USAGE;
	}
	h.page = (size_t)sysconf(_SC_PAGESIZE);
	h.segment = w_reserve_shm();

	w_wait(wait, NULL, 0);
	kind->hold(&h);
	j_open(NULL, '{');
	j_text("type", "truth");
	j_text("workload", "memholder");
	j_int("pid", getpid());
	j_text("kind", kind->name);
	if (kind->hold == threads)
		j_uint("threads", h.threads);
	else
		j_uint("held_bytes", h.bytes);
	j_end_line();
	w_line();
	kind->release(&h);
	j_open(NULL, '{');
	j_text("type", "released");
	j_end_line();
	w_hold(true);
	w_finish();
}
