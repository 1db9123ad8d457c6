// SPDX-License-Identifier: Apache-2.0
//
// memstall: one task, alone on a CPU and in a memory cgroup, that waits for memory for one reason made on purpose.
// Truth: what PSI counts for the machine and the cgroup, and what delay accounting counts for the task.
#include "../include/memcg.h"
#include "../include/pressure.h"
#include "taskstats.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static const char usage[] =
	"usage: memstall [options]\n"
	"One task stalls for want of memory in a cgroup of its own; prints as JSON for how long, as the kernel counts it.\n"
	"  --kind K       anon: anonymous memory beyond the limit, over and over (swap is wanted; default)\n"
	"                 file: a file larger than the limit, read over and over\n"
	"                 high: anonymous memory beyond memory.high, without swap (cgroup v2)\n"
	"                 dirty: a file written faster than vm.dirty_bytes allows\n"
	"                 compact: huge pages where --mb of memory has every other page in use\n"
	"                 tasks: --tasks of them one after another, each of 1 MB, where the limit is full (swap)\n"
	"                 asked: memory.reclaim (v2), or a limit lowered and raised (v1): reclaim that is no stall\n"
	"  --mb N         memory touched, or size of the file (default 80)\n"
	"  --limit-mb N   limit of the cgroup (default 40; 0 none)\n"
	"  --seconds N    how long (default 5)\n"
	"  --parent       the limit is a parent's of the task's cgroup\n"
	"  --victim N     with --parent: another cgroup below the limit, whose task goes round its own N MB slowly\n"
	"  --tasks N      how many (default 1000)\n"
	"  --cpu N        the CPU it runs on (default: the last it may)\n"
	"  --directory D  where the file lies (default: the current directory)\n"
	"  --wait --hold  print {\"type\":\"ready\"} and wait for a line first; at the end wait for the end of stdin\n"
	"exit: 0 done, 64 wrong options, 69 not possible here (no swap, no cgroup), 1 anything else\n";

enum kind { ANON, FILES, HIGH, DIRTY, COMPACT, ASKED, TASKS };
static const char *const kinds[] = { "anon", "file", "high", "dirty", "compact", "asked", "tasks", NULL };

static struct options {
	enum kind kind;
	uint64_t bytes, limit, seconds, victim, tasks;
	int cpu;
	bool parent, wait, hold;
	const char *directory;
} opt = { .bytes = 80 << 20, .limit = 40 << 20, .seconds = 5, .tasks = 1000, .cpu = -1, .directory = "." };

static uint64_t page, deadline, touched, passes;
static struct memcg outer, inner, beside;
static pid_t victim;

static void parse(int argc, char **argv)
{
	enum { KIND = 256, MB, LIMIT, SECONDS, PARENT, VICTIM, TASK, CPU, DIRECTORY, WAIT, HOLD, HELP };
	static const struct option longs[] = { { "kind", 1, 0, KIND },
					       { "mb", 1, 0, MB },
					       { "limit-mb", 1, 0, LIMIT },
					       { "seconds", 1, 0, SECONDS },
					       { "parent", 0, 0, PARENT },
					       { "victim", 1, 0, VICTIM },
					       { "tasks", 1, 0, TASK },
					       { "cpu", 1, 0, CPU },
					       { "wait", 0, 0, WAIT },
					       { "hold", 0, 0, HOLD },
					       { "directory", 1, 0, DIRECTORY },
					       { "help", 0, 0, HELP },
					       { 0 } };
	for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (o) {
		case KIND: {
			int k = 0;
			while (kinds[k] && strcmp(kinds[k], optarg))
				k++;
			if (!kinds[k])
				w_die(W_USAGE, 0,
				      "--kind %s: anon, file, high, dirty, compact, asked or tasks is wanted", optarg);
			opt.kind = (enum kind)k;
			break;
		}
		case MB: opt.bytes = (uint64_t)w_number("mb", optarg, 1, 1 << 20) << 20; break;
		case LIMIT: opt.limit = (uint64_t)w_number("limit-mb", optarg, 0, 1 << 20) << 20; break;
		case SECONDS: opt.seconds = (uint64_t)w_number("seconds", optarg, 1, 3600); break;
		case PARENT: opt.parent = true; break;
		case VICTIM: opt.victim = (uint64_t)w_number("victim", optarg, 1, 1 << 20) << 20; break;
		case TASK: opt.tasks = (uint64_t)w_number("tasks", optarg, 1, 1 << 20); break;
		case CPU: opt.cpu = (int)w_number("cpu", optarg, 0, CPU_SETSIZE - 1); break;
		case DIRECTORY: opt.directory = optarg; break;
		case WAIT: opt.wait = true; break;
		case HOLD: opt.hold = true; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	if (optind < argc)
		w_die(W_USAGE, 0, "%s: not an option (see --help)", argv[optind]);
}

static void pin(void)
{
	cpu_set_t set;
	if (opt.cpu < 0) {
		if (sched_getaffinity(0, sizeof set, &set))
			w_die(W_FAILED, errno, "sched_getaffinity");
		for (int i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &set))
				opt.cpu = i;
	}
	CPU_ZERO(&set);
	CPU_SET(opt.cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set))
		w_die(W_USAGE, errno, "--cpu %d", opt.cpu);
}

static void make_below(struct memcg *cg, const char *name)
{
	char path[sizeof cg->directory + 8];
	snprintf(path, sizeof path, "%s/%s", outer.directory, name);
	if (strlen(path) >= sizeof cg->directory)
		w_die(W_FAILED, 0, "%s: too long a name", path);
	memcpy(cg->directory, path, strlen(path) + 1);
	if (mkdir(cg->directory, 0755) < 0)
		w_die(W_FAILED, errno, "%s", cg->directory);
	w_undo_path(W_UNDO_DIRECTORY, cg->directory);
}

// The cgroups: the limit's, and with --parent one below it that the task is in.
static void make_cgroups(void)
{
	memcg_make(&outer, "stall", opt.limit ? opt.limit : UINT64_MAX >> 12 << 11, true);
	if (outer.version == 1) {
		memcg_set(&outer, "memory.swappiness", "100");
		if (opt.kind == HIGH)
			w_die(W_UNAVAILABLE, 0, "memory.high needs cgroup v2");
	} else if (opt.kind == HIGH) {
		char value[32];
		memcg_set(&outer, "memory.max", "max");
		memcg_set(&outer, "memory.swap.max", "0");
		snprintf(value, sizeof value, "%" PRIu64, opt.limit);
		int e = memcg_set(&outer, "memory.high", value);
		if (e)
			w_die(W_UNAVAILABLE, e, "memory.high");
	} else if (!opt.limit) {
		memcg_set(&outer, "memory.max", "max");
	}
	inner = outer;
	if (!opt.parent)
		return;
	if (outer.version == 2) {
		int e = memcg_set(&outer, "cgroup.subtree_control", "+memory");
		if (e)
			w_die(W_UNAVAILABLE, e, "the memory controller below %s", outer.directory);
	}
	make_below(&inner, "task");
	if (!opt.victim)
		return;
	beside = outer;
	make_below(&beside, "victim");
}

// A task in a cgroup of its own that wants what it has, and no more: a page each half a millisecond.
static void start_victim(void)
{
	victim = fork();
	if (victim < 0)
		w_die(W_FAILED, errno, "fork");
	if (victim)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memcg_add(&beside, getpid());
	char *memory = mmap(NULL, opt.victim, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		_exit(1);
	for (;;)
		for (uint64_t i = 0; i < opt.victim; i += page) {
			memory[i]++;
			usleep(500);
		}
}

static bool go_on(void)
{
	return w_now_ns(CLOCK_MONOTONIC) < deadline;
}

// Anonymous memory, a word a page, over and over.
static void touch_anonymous(char *memory)
{
	uint64_t seed = 1;
	// once through at least where nothing but the machine sets a limit: a slow one comes to it late
	for (; go_on(); passes++)
		for (uint64_t i = 0; i < opt.bytes && (go_on() || (!opt.limit && !passes)); i += page, touched++) {
			uint64_t *words = (void *)(memory + i);
			// not one word for all: that a page is the same all over is seen, and nothing is stored
			for (uint64_t k = 0; k < page / 8; k += 16)
				words[k] = w_random(&seed);
		}
}

// A file's pages, each twice, so that what is evicted has been of the working set.
static void read_file(int fd)
{
	static char block[1 << 16];
	for (; go_on(); passes++)
		for (uint64_t i = 0; i < opt.bytes && go_on(); i += sizeof block, touched += 2 * sizeof block / page)
			for (int k = 0; k < 2; k++)
				if (pread(fd, block, sizeof block, (off_t)i) != sizeof block)
					w_die(W_FAILED, errno, "read of the file");
}

static void write_file(int fd)
{
	static char block[1 << 16];
	memset(block, 1, sizeof block);
	for (; go_on(); passes++)
		for (uint64_t i = 0; i < opt.bytes && go_on(); i += sizeof block, touched += sizeof block / page)
			if (pwrite(fd, block, sizeof block, (off_t)i) != sizeof block)
				w_die(W_FAILED, errno, "write of the file");
}

// Beyond memory.high a page at a time: the kernel lets it go on slower and slower.
static void exceed_high(char *memory)
{
	for (uint64_t i = 0; i < opt.bytes && go_on(); i += page, touched++)
		memory[i] = 1;
	passes = 1;
}

// Every other page of the memory goes back: the machine has room, and no huge page.
static void fragment(char *memory)
{
	for (uint64_t i = 0; i < opt.bytes; i += page)
		memory[i] = 1;
	for (uint64_t i = 0; i < opt.bytes; i += 2 * page)
		madvise(memory + i, page, MADV_DONTNEED);
}

static void want_huge_pages(void)
{
	// more than what was left whole, less than what the holes have
	const uint64_t huge = 2 << 20, size = opt.bytes / 4 / huge * huge + huge;
	for (; go_on(); passes++) {
		char *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (m == MAP_FAILED)
			w_die(W_FAILED, errno, "%" PRIu64 " MB", size >> 20);
		madvise(m, size, MADV_HUGEPAGE);
		for (uint64_t i = 0; i < size && go_on(); i += huge, touched += huge / page)
			m[i] = 1;
		munmap(m, size);
	}
}

// Has the kernel take memory of the cgroup back, and touches it again.
static void ask(char *memory)
{
	char low[32], high[32];
	snprintf(low, sizeof low, "%" PRIu64, opt.limit / 4);
	snprintf(high, sizeof high, "%" PRIu64, opt.limit);
	for (; go_on(); passes++) {
		for (uint64_t i = 0; i < opt.limit / 2; i += page, touched++)
			memory[i] = (char)passes;
		if (outer.version == 2) {
			memcg_set(&outer, "memory.reclaim", low);
		} else {
			memcg_set(&outer, "memory.limit_in_bytes", low);
			memcg_set(&outer, "memory.limit_in_bytes", high);
		}
	}
}

// One after another, each with memory of its own, for which the kernel takes some of this task's.
static void run_tasks(char *memory)
{
	for (uint64_t i = 0; i < opt.bytes; i += page)
		memory[i] = 1;
	for (; passes < opt.tasks; passes++) {
		pid_t pid = fork();
		if (pid < 0)
			w_die(W_FAILED, errno, "fork");
		if (!pid) {
			char *own = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (own == MAP_FAILED)
				_exit(1);
			for (uint64_t i = 0; i < 1 << 20; i += page)
				own[i] = 1;
			_exit(0);
		}
		int status;
		if (waitpid(pid, &status, 0) != pid || status)
			w_die(W_FAILED, 0, "a task ended with %d", status);
		touched += (1 << 20) / page;
		// what it has given back is filled again
		for (uint64_t i = 0; i < 1 << 20; i += page)
			memory[(passes << 20) % opt.bytes / page * page + i]++;
	}
}

static int open_file(void)
{
	char path[256], block[1 << 16];
	snprintf(path, sizeof path, "%s/swiftmem-memstall-%d.dat", opt.directory, (int)getpid());
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		w_die(W_UNAVAILABLE, errno, "%s", path);
	w_undo_path(W_UNDO_FILE, path);
	memset(block, 7, sizeof block);
	for (uint64_t i = 0; i < opt.bytes; i += sizeof block)
		if (pwrite(fd, block, sizeof block, (off_t)i) != sizeof block)
			w_die(W_UNAVAILABLE, errno, "%s", path);
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return fd;
}

static void limit_dirty(void)
{
	static const char file[] = "/proc/sys/vm/dirty_bytes", ratio[] = "/proc/sys/vm/dirty_ratio";
	char before[32] = "", percent[32] = "";
	w_read_file(file, before, sizeof before);
	w_read_file(ratio, percent, sizeof percent);
	// each of the two sets the other to 0, and refuses 0 itself
	if (atoll(before) > 0)
		w_undo_write(file, before);
	else
		w_undo_write(ratio, percent);
	int e = w_write_file(file, "4194304");
	if (e)
		w_die(W_UNAVAILABLE, e, "%s", file);
}

static void print_events(const struct memcg *cg)
{
	uint64_t n;
	if (cg->version == 2) {
		if (memcg_counter(cg, "memory.events", "high", &n))
			j_uint("limit_high_events", n);
		if (memcg_counter(cg, "memory.events", "max", &n))
			j_uint("limit_max_events", n);
	} else if (memcg_counter(cg, "memory.failcnt", NULL, &n)) {
		j_uint("limit_max_events", n);
	}
}

// A cgroup's path within its hierarchy.
static const char *path_of(const struct memcg *cg)
{
	return cg->directory + strlen(cg->version == 2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory");
}

int main(int argc, char **argv)
{
	w_start("memstall");
	parse(argc, argv);
	page = (uint64_t)sysconf(_SC_PAGESIZE);
	make_cgroups();
	delays_on();
	if (opt.kind == DIRTY)
		limit_dirty();
	int fd = opt.kind == FILES || opt.kind == DIRTY ? open_file() : -1;
	memcg_enter(&inner); // the parent stays behind to clean up
	pin();
	mlockall(MCL_CURRENT); // so that its own code is not read again
	char *memory =
		mmap(NULL, opt.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		w_die(W_FAILED, errno, "%" PRIu64 " MB", opt.bytes >> 20);
	madvise(memory, opt.bytes, MADV_NOHUGEPAGE);
	if (opt.kind == COMPACT)
		fragment(memory);
	char pressure[sizeof inner.directory + 20];
	snprintf(pressure, sizeof pressure, "%s/memory.pressure", inner.directory);
	if (opt.victim)
		start_victim();
	w_wait(opt.wait, NULL, 0);

	struct taskstats before, after;
	struct pressure machine[2], own[2];
	bool delays = delays_of(getpid(), &before);
	own[0] = pressure_read(pressure);
	machine[0] = pressure_read("/proc/pressure/memory");
	uint64_t start = w_now_ns(CLOCK_MONOTONIC), cpu = w_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	deadline = start + opt.seconds * 1000000000u;
	switch (opt.kind) {
	case ANON: touch_anonymous(memory); break;
	case FILES: read_file(fd); break;
	case HIGH: exceed_high(memory); break;
	case DIRTY: write_file(fd); break;
	case COMPACT: want_huge_pages(); break;
	case ASKED: ask(memory); break;
	case TASKS: run_tasks(memory); break;
	}
	cpu = w_now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	uint64_t end = w_now_ns(CLOCK_MONOTONIC);
	machine[1] = pressure_read("/proc/pressure/memory");
	own[1] = pressure_read(pressure);
	delays = delays && delays_of(getpid(), &after);
	if (victim > 0) {
		kill(victim, SIGKILL);
		waitpid(victim, NULL, 0);
	}

	j_begin_truth();
	j_text("kind", kinds[opt.kind]);
	j_int("cpu", opt.cpu);
	j_uint("duration_ns", end - start);
	j_uint("cpu_ns", cpu);
	j_uint("touched_pages", touched);
	j_uint("passes", passes);
	j_int("cgroup_version", inner.version);
	j_text("cgroup", path_of(&inner));
	j_text("limit_cgroup", path_of(&outer));
	j_uint("limit_bytes", opt.limit);
	if (opt.victim)
		j_text("victim_cgroup", path_of(&beside));
	print_events(&outer);
	pressure_print("machine_pressure", machine[0], machine[1]);
	pressure_print("cgroup_pressure", own[0], own[1]);
	delays_print(delays, &before, &after);
	j_end_line();
	w_hold(opt.hold);
	w_finish();
}
