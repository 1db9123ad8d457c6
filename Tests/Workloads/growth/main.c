// SPDX-License-Identifier: Apache-2.0
//
// growth: makes known numbers of pages resident, each kind by a function of its own, and gives some back.
#include "../include/workload.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

static const char usage[] =
	"usage: growth [options]\n"
	"Touches memory, each kind in a function of its own (touch_heap, touch_mapping, ...), gives some\n"
	"back, and prints as JSON the pages of each.\n"
	"  --pages N      pages of each kind (default 2048)\n"
	"  --threads N    threads that touch pages too (default 4)\n"
	"  --file PATH    a file on a disk for a mapping, which is made and removed\n"
	"  --wait         print {\"type\":\"ready\"} and wait for a line first\n"
	"  --hold         wait for the end of stdin behind the truth\n"
	"exit: 0 done, 64 wrong options, 1 anything else\n";

static struct {
	uint64_t pages, threads;
	const char *file;
	bool wait, hold;
} opt = { 2048, 4, NULL, false, false };

static size_t page;

#define OWN __attribute__((noinline))

static char *map(size_t bytes, int flags, int fd)
{
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (at == MAP_FAILED)
		w_die(W_FAILED, errno, "mmap");
	return at;
}

static char *anonymous(size_t bytes)
{
	char *at = map(bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (madvise(at, bytes, MADV_NOHUGEPAGE))
		w_die(W_FAILED, errno, "madvise");
	return at;
}

// Each is what it is called for alone; the empty asm keeps calls from becoming jumps.
#define TOUCH(name) \
	OWN static void name(volatile char *at, uint64_t pages) \
	{ \
		for (uint64_t i = 0; i < pages; i++) \
			at[i * page] = 1; \
		__asm__ volatile("" ::: "memory"); \
	}

#define READ(name) \
	OWN static void name(const volatile char *at, uint64_t pages) \
	{ \
		for (uint64_t i = 0; i < pages; i++) \
			(void)at[i * page]; \
		__asm__ volatile("" ::: "memory"); \
	}

TOUCH(touch_heap)
TOUCH(touch_mapping)
TOUCH(touch_unmapped)
TOUCH(touch_dropped)
TOUCH(touch_again)
TOUCH(touch_huge)
TOUCH(touch_shared)
TOUCH(touch_copy)
TOUCH(touch_moved)
TOUCH(touch_thread)
READ(read_hot)
READ(read_cold)
READ(read_zero)

static void *thread(void *argument)
{
	touch_thread(argument, opt.pages / opt.threads);
	return NULL;
}

static uint64_t thread_pages;

static void touch_by_threads(void)
{
	pthread_t ids[64];
	uint64_t each = opt.pages / opt.threads;
	for (uint64_t i = 0; i < opt.threads; i++) {
		int e = pthread_create(&ids[i], NULL, thread, anonymous(each * page));
		if (e)
			w_die(W_FAILED, e, "thread");
	}
	for (uint64_t i = 0; i < opt.threads; i++)
		pthread_join(ids[i], NULL);
	thread_pages = each * opt.threads;
}

static uint64_t make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char *block = calloc(1, page);
	if (fd < 0 || !block)
		w_die(W_FAILED, errno, "%s", path);
	memset(block, 7, page);
	for (uint64_t i = 0; i < opt.pages; i++)
		if (write(fd, block, page) != (ssize_t)page)
			w_die(W_FAILED, errno, "%s", path);
	free(block);
	fsync(fd);
	return (uint64_t)fd;
}

// Resident bytes, summed up from the page tables.
static uint64_t resident(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	uint64_t kib = 0;
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Rss: %lu kB", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib << 10;
}

int main(int argc, char **argv)
{
	w_start("growth");
	enum { PAGES = 256, THREADS, FILE_, WAIT, HOLD, HELP };
	static const struct option longs[] = {
		{ "pages", 1, 0, PAGES },
		{ "threads", 1, 0, THREADS },
		{ "file", 1, 0, FILE_ },
		{ "wait", 0, 0, WAIT },
		{ "hold", 0, 0, HOLD },
		{ "help", 0, 0, HELP },
		{ 0 },
	};
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case PAGES: opt.pages = (uint64_t)w_number("pages", optarg, 64, 1 << 20); break;
		case THREADS: opt.threads = (uint64_t)w_number("threads", optarg, 1, 64); break;
		case FILE_: opt.file = optarg; break;
		case WAIT: opt.wait = true; break;
		case HOLD: opt.hold = true; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	if (optind < argc)
		w_die(W_USAGE, 0, "%s: not an option (see --help)", argv[optind]);
	page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = opt.pages * page, huge = page / 8 * page;
	int fd = opt.file ? (int)make_file(opt.file) : -1;
	w_wait(opt.wait, NULL, 0);
	uint64_t before = resident();

	// one more than the pages, for a block of malloc's does not begin at a page
	char *heap = malloc(bytes + page);
	if (!heap)
		w_die(W_FAILED, errno, "malloc");
	touch_heap(heap + page - ((uintptr_t)heap & (page - 1)), opt.pages);

	touch_mapping(anonymous(bytes), opt.pages);

	char *gone = anonymous(bytes);
	touch_unmapped(gone, opt.pages);
	munmap(gone, bytes);

	char *dropped = anonymous(bytes);
	touch_dropped(dropped, opt.pages);
	madvise(dropped, bytes, MADV_DONTNEED);
	touch_again(dropped, opt.pages / 4);

	// two huge pages fit in three, wherever these begin; one byte a page would do as well
	char *reserve = map(3 * huge, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	char *aligned = reserve + (huge - (uintptr_t)reserve % huge) % huge;
	madvise(reserve, 3 * huge, MADV_HUGEPAGE);
	touch_huge(aligned, 2 * huge / page);

	int memory = memfd_create("growth", MFD_CLOEXEC);
	if (memory < 0 || ftruncate(memory, (off_t)bytes))
		w_die(W_FAILED, errno, "memfd");
	touch_shared(map(bytes, MAP_SHARED, memory), opt.pages);

	// nothing of a child's is the parent's growth: it touches what it shares until then
	char *copied = anonymous(bytes);
	touch_mapping(copied, opt.pages);
	pid_t pid = fork();
	if (pid == 0) {
		touch_copy(copied, opt.pages);
		_exit(0);
	}
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		w_die(W_FAILED, errno, "fork");

	// the zero page, which is not counted, and then a page of its own in its place
	char *zero = anonymous(bytes);
	read_zero(zero, opt.pages);

	char *moved = anonymous(bytes);
	touch_moved(moved, opt.pages);
	if (mremap(moved, bytes, 2 * bytes, MREMAP_MAYMOVE) == MAP_FAILED)
		w_die(W_FAILED, errno, "mremap");

	touch_by_threads();

	if (fd >= 0) {
		char *hot = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
		if (hot == MAP_FAILED)
			w_die(W_FAILED, errno, "mmap");
		read_hot(hot, opt.pages);
		munmap(hot, bytes);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		char *cold = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
		if (cold == MAP_FAILED || madvise(cold, bytes, MADV_RANDOM))
			w_die(W_FAILED, errno, "mmap");
		read_cold(cold, opt.pages);
	}
	uint64_t after = resident();

	j_begin_truth();
	j_uint("page_bytes", page);
	j_uint("pages", opt.pages);
	j_uint("again_pages", opt.pages / 4);
	j_uint("thread_pages", thread_pages);
	j_uint("huge_pages", 2 * huge / page);
	j_uint("resident_before_bytes", before);
	j_uint("resident_after_bytes", after);
	j_end_line();
	fflush(stdout);
	if (opt.file)
		unlink(opt.file);
	w_hold(opt.hold);
	w_finish();
}
