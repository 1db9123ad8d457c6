// SPDX-License-Identifier: Apache-2.0
//
// Has the kernel hold a known number of objects or pages, and lets go of them when told.
// Truth line, then a line on stdin: lets go and prints a `released` line; then the end of stdin: ends.
#include "workload.h"
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

struct holder {
	long long count;
	int order;
	const char *directory;
	int *fds; // 2 a pipe
	int used;
};

static void keep(struct holder *h, int fd, const char *what)
{
	if (fd < 0)
		w_die(errno == EPERM || errno == EAFNOSUPPORT ? W_UNAVAILABLE : W_FAILED, errno, "%s", what);
	h->fds[h->used++] = fd;
}

static void let_go(struct holder *h)
{
	for (int i = 0; i < h->used; i++)
		close(h->fds[i]);
	h->used = 0;
}

static void pipes(struct holder *h)
{
	for (long long i = 0; i < h->count; i++) {
		int ends[2];
		if (pipe2(ends, O_CLOEXEC) < 0)
			w_die(W_FAILED, errno, "pipe %lld", i);
		keep(h, ends[0], "pipe");
		keep(h, ends[1], "pipe");
	}
}

static void sockets(struct holder *h)
{
	for (long long i = 0; i < h->count; i++)
		keep(h, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
}

/// fs/timerfd.c frees each with kfree_rcu(): nothing is held when this is done.
static void timers(struct holder *h)
{
	for (long long i = 0; i < h->count; i++) {
		int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
		if (fd < 0)
			w_die(W_FAILED, errno, "timerfd_create");
		close(fd);
	}
}

/// Names that don't exist: the kernel keeps a dentry for each, until its shrinker runs.
static void negative(struct holder *h)
{
	char path[256];
	struct stat status;
	for (long long i = 0; i < h->count; i++) {
		snprintf(path, sizeof path, "%s/none-%d-%lld", h->directory, (int)getpid(), i);
		if (stat(path, &status) == 0)
			w_die(W_FAILED, 0, "%s exists", path);
	}
}

/// net/packet/af_packet.c: each block of a ring is pages of one order.
static void ring(struct holder *h)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); // of no protocol: no packet comes
	keep(h, fd, "packet socket");
	struct tpacket_req request = {
		.tp_block_size = 4096u << h->order,
		.tp_block_nr = (unsigned)h->count,
		.tp_frame_size = 2048,
		.tp_frame_nr = (unsigned)h->count * ((4096u << h->order) / 2048),
	};
	if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
		w_die(W_FAILED, errno, "PACKET_RX_RING");
}

/// fs/pipe.c: a page for each 4096 bytes written.
static void full_pipe(struct holder *h)
{
	static char page[4096];
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		w_die(W_FAILED, errno, "pipe");
	keep(h, ends[0], "pipe");
	keep(h, ends[1], "pipe");
	memset(page, 'x', sizeof page);
	if (fcntl(ends[1], F_SETPIPE_SZ, (int)(h->count * 4096)) < 0)
		w_die(W_FAILED, errno, "F_SETPIPE_SZ %lld", h->count * 4096);
	for (long long i = 0; i < h->count; i++)
		if (write(ends[1], page, sizeof page) != sizeof page)
			w_die(W_FAILED, errno, "page %lld of a pipe", i);
}

static void cgroup_path(struct holder *h, long long i, char *path, size_t size)
{
	snprintf(path, size, "%s/swiftmem-kholder-%d-%lld", h->directory, (int)getpid(), i);
}

static void cgroups(struct holder *h)
{
	char path[256];
	for (long long i = 0; i < h->count; i++) {
		cgroup_path(h, i, path, sizeof path);
		if (mkdir(path, 0755) < 0)
			w_die(errno == EROFS || errno == ENOENT ? W_UNAVAILABLE : W_FAILED, errno, "%s", path);
		w_undo_path(W_UNDO_DIRECTORY, path);
	}
}

static void no_cgroups(struct holder *h)
{
	char path[256];
	for (long long i = 0; i < h->count; i++) {
		cgroup_path(h, i, path, sizeof path);
		if (rmdir(path) < 0 && errno != ENOENT)
			w_die(W_FAILED, errno, "%s", path);
	}
}

static const struct kind {
	const char *name;
	void (*hold)(struct holder *);
	void (*release)(struct holder *);
	bool holds; // else it lets go of all itself
} kinds[] = {
	{ "pipes", pipes, let_go, true },	  { "sockets", sockets, let_go, true },
	{ "timers", timers, let_go, false },	  { "negative", negative, let_go, true },
	{ "ring", ring, let_go, true },		  { "full-pipe", full_pipe, let_go, true },
	{ "cgroups", cgroups, no_cgroups, true },
};

static void usage(FILE *to)
{
	fputs("workload-kholder --kind KIND --count N [--order N] [--directory PATH] [--wait]\n"
	      "  pipes, sockets, timers (made and closed), negative (dentries in the directory),\n"
	      "  ring (blocks of a packet socket's, of 4096 << order bytes), full-pipe (pages),\n"
	      "  cgroups (below the directory)\n",
	      to);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "kind", required_argument, NULL, 'k' },
		{ "count", required_argument, NULL, 'n' },
		{ "order", required_argument, NULL, 'o' },
		{ "directory", required_argument, NULL, 'd' },
		{ "wait", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct holder h = { .count = 100, .directory = "/var/tmp" };
	const struct kind *kind = NULL;
	bool wait = false;
	int option;

	w_start("kholder");
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'k':
			for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
				if (strcmp(kinds[i].name, optarg) == 0)
					kind = &kinds[i];
			if (!kind)
				w_die(W_USAGE, 0, "--kind %s: no such kind", optarg);
			break;
		case 'n': h.count = w_number("count", optarg, 1, 10000000); break;
		case 'o': h.order = (int)w_number("order", optarg, 0, 5); break;
		case 'd': h.directory = optarg; break;
		case 'w': wait = true; break;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return W_USAGE;
		}
	if (!kind || optind != argc) {
		usage(stderr);
		return W_USAGE;
	}
	if (kind->hold == cgroups && h.count > 200)
		w_die(W_USAGE, 0, "--count %lld: 200 cgroups at most", h.count);
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	h.fds = calloc((size_t)h.count * 2 + 2, sizeof *h.fds);
	if (!h.fds)
		w_die(W_FAILED, errno, "descriptors");

	w_wait(wait, NULL, 0);
	kind->hold(&h);
	j_open(NULL, '{');
	j_text("type", "truth");
	j_text("workload", "kholder");
	j_int("pid", getpid());
	j_text("kind", kind->name);
	j_int("count", h.count);
	j_int("held", kind->holds ? h.count : 0);
	j_int("order", h.order);
	j_end_line();
	w_line();
	kind->release(&h);
	j_open(NULL, '{');
	j_text("type", "released");
	j_end_line();
	w_hold(true);
	w_finish();
}
