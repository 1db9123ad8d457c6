// SPDX-License-Identifier: Apache-2.0
//
// Holds a known amount of memory of one kind, which one counter of the kernel's has or none.
// Truth line, then a line on stdin: lets go and prints a `released` line; then the end of stdin: ends.
#include "workload.h"
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/memfd.h>
#include <net/ethernet.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

struct holder {
	size_t bytes;
	const char *directory;
	size_t threads;
	size_t page;
	int fd;
	int *fds;
	size_t count;
	int shmid;
	void *memory;
	size_t mapped;
	pthread_t *ids;
	struct w_undo *segment;
	char path[256];
};

static void *touched(struct holder *h, int flags, int fd, size_t size, size_t step)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (memory == MAP_FAILED)
		w_die(flags & MAP_HUGETLB ? W_UNAVAILABLE : W_FAILED, errno, "mmap");
	if (!(flags & MAP_HUGETLB))
		madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < size; at += step)
		((volatile char *)memory)[at] = 1;
	h->memory = memory;
	h->mapped = size;
	return memory;
}

static void unmap(struct holder *h)
{
	if (h->memory)
		munmap(h->memory, h->mapped);
	h->memory = NULL;
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
}

static void anon(struct holder *h)
{
	touched(h, MAP_PRIVATE | MAP_ANONYMOUS, -1, h->bytes, h->page);
}

static void shared(struct holder *h)
{
	touched(h, MAP_SHARED | MAP_ANONYMOUS, -1, h->bytes, h->page);
}

static void fill(struct holder *h)
{
	if (h->fd < 0)
		w_die(W_UNAVAILABLE, errno, "%s", h->path);
	int e = posix_fallocate(h->fd, 0, (off_t)h->bytes);
	if (e)
		w_die(e == ENOSPC ? W_UNAVAILABLE : W_FAILED, e, "fallocate");
}

/// The descriptor alone holds it: nothing is mapped.
static void memfd(struct holder *h)
{
	h->fd = memfd_create("swiftmem-held", MFD_CLOEXEC);
	fill(h);
}

static void in_directory(struct holder *h, const char *directory)
{
	struct statfs status;
	snprintf(h->path, sizeof h->path, "%s/swiftmem-held-%d", directory, getpid());
	if (statfs(directory, &status) < 0 || status.f_type != 0x01021994) // TMPFS_MAGIC
		w_die(W_UNAVAILABLE, 0, "%s: no tmpfs", directory);
	h->fd = open(h->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (h->fd >= 0)
		w_undo_path(W_UNDO_FILE, h->path);
	fill(h);
}

static void tmpfs(struct holder *h)
{
	in_directory(h, h->directory);
}

static void posix(struct holder *h)
{
	in_directory(h, "/dev/shm");
}

static void deleted(struct holder *h)
{
	in_directory(h, h->directory);
	unlink(h->path);
}

static void remove_file(struct holder *h)
{
	unlink(h->path);
	unmap(h);
}

static void segment(struct holder *h)
{
	h->shmid = shmget(IPC_PRIVATE, h->bytes, IPC_CREAT | 0600);
	if (h->shmid < 0)
		w_die(errno == ENOSYS ? W_UNAVAILABLE : W_FAILED, errno, "shmget");
	w_undo_shm(h->segment, h->shmid);
	char *memory = shmat(h->shmid, NULL, 0);
	if (memory == (char *)-1)
		w_die(W_FAILED, errno, "shmat");
	memset(memory, 1, h->bytes);
	// nobody is attached to it any more
	shmdt(memory);
}

static void remove_segment(struct holder *h)
{
	shmctl(h->shmid, IPC_RMID, NULL);
	w_undo_shm(h->segment, -1);
}

/// A table of the lowest level for each of its entries' worth of memory; a page of it is read, and is the zero page.
static void tables(struct holder *h)
{
	size_t each = h->page / sizeof(uint64_t) * h->page, count = h->bytes / h->page;
	char *memory = mmap(NULL, each * count, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	volatile char sum = 0;
	if (memory == MAP_FAILED)
		w_die(W_UNAVAILABLE, errno, "mmap");
	madvise(memory, each * count, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < count; at++)
		sum += memory[at * each];
	h->memory = memory;
	h->mapped = each * count;
}

/// From a pool that somebody has set aside: the size of a huge page is the machine's.
static void hugetlb(struct holder *h)
{
	char text[8192];
	uint64_t kilobytes = 0;
	if (w_read_file("/proc/meminfo", text, sizeof text) < 0 || !w_field(text, "Hugepagesize", &kilobytes))
		w_die(W_UNAVAILABLE, 0, "no huge pages");
	touched(h, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, h->bytes, kilobytes * 1024);
}

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

/// net/packet/af_packet.c: each block of a ring is pages of one order, which no counter of the kernel's has.
static void ring(struct holder *h)
{
	h->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (h->fd < 0)
		w_die(W_UNAVAILABLE, errno, "packet socket");
	unsigned int block = 1 << 16;
	struct tpacket_req request = {
		.tp_block_size = block,
		.tp_block_nr = (unsigned int)(h->bytes / block),
		.tp_frame_size = 1 << 14,
		.tp_frame_nr = (unsigned int)(h->bytes / block) * (block >> 14),
	};
	if (setsockopt(h->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
		w_die(W_UNAVAILABLE, errno, "packet ring");
}

/// Descriptors enough for all that is opened.
static int *room(size_t count)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < count + 16)
		w_die(W_UNAVAILABLE, 0, "%zu descriptors", count);
	return calloc(count, sizeof(int));
}

/// Full pipes: fs/pipe.c, a page a buffer.
static void pipes(struct holder *h)
{
	size_t each = 1 << 20;
	h->fds = room(h->bytes / each * 2);
	char *page = calloc(1, h->page);
	for (; h->count < h->bytes / each * 2; h->count += 2) {
		int *ends = h->fds + h->count;
		if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
			w_die(W_UNAVAILABLE, errno, "pipe");
		if (fcntl(ends[1], F_SETPIPE_SZ, (int)each) < 0)
			w_die(W_UNAVAILABLE, errno, "a pipe of 1 MiB");
		for (size_t at = 0; at < each; at += h->page)
			if (write(ends[1], page, h->page) != (ssize_t)h->page)
				w_die(W_FAILED, errno, "write to a pipe");
	}
}

/// Pairs of unix sockets, one end never read. A message of 36 KiB lies in a buffer's head, of the slab allocator, and
/// 32 KiB of page fragments (net/core/sock.c, sock_alloc_send_pskb(), where pages have 4 KiB).
static void sockets(struct holder *h)
{
	if (h->page != 4096)
		w_die(W_UNAVAILABLE, 0, "what fragments a message takes is known of pages of 4 KiB");
	size_t message = 36 << 10, fragments = 32 << 10, count = h->bytes / fragments, each = 32;
	h->fds = room((count / each + 1) * 2);
	char *text = calloc(1, message);
	for (size_t sent = 0; sent < count; sent++) {
		if (sent % each == 0) {
			int size = 64 << 20;
			if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, h->fds + h->count) < 0)
				w_die(W_UNAVAILABLE, errno, "socketpair");
			h->count += 2;
			if (setsockopt(h->fds[h->count - 1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
				w_die(W_UNAVAILABLE, errno, "SO_SNDBUFFORCE");
		}
		if (send(h->fds[h->count - 1], text, message, 0) != (ssize_t)message)
			w_die(W_FAILED, errno, "send");
	}
}

struct uring_parameters {
	uint32_t submissions, completions, flags, rest[7];
	uint64_t offsets[10];
};

/// Rings of io_uring (io_uring/io_uring.c, io_allocate_scq_urings()): 2 MiB of entries each, and the rings themselves.
static void urings(struct holder *h)
{
	size_t each = 2 << 20;
	h->fds = room(h->bytes / each);
	for (; h->count < h->bytes / each; h->count++) {
		struct uring_parameters parameters = { 0 };
		h->fds[h->count] = (int)syscall(SYS_io_uring_setup, 1 << 15, &parameters);
		if (h->fds[h->count] < 0)
			w_die(W_UNAVAILABLE, errno, "io_uring");
	}
}

static void close_all(struct holder *h)
{
	for (size_t i = 0; i < h->count; i++)
		close(h->fds[i]);
	h->count = 0;
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
