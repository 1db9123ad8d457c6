// SPDX-License-Identifier: Apache-2.0
//
// swapper: a known number of pages swapped out and read back. Truth: which pages were in swap before the read (from
// pagemap), the faults of the process, and the kernel's swap counters, phase by phase.
#include "../include/counters.h"
#include "../include/memcg.h"
#include <sys/mman.h>

static const char usage[] =
	"usage: swapper [options]\n"
	"Touches memory (write phase), has it swapped out, reads it again (read phase), prints the truth as one line of JSON.\n"
	"  --mb N          memory touched (default 64)\n"
	"  --limit-mb N    limit of its memory cgroup (default 32; 0 none, which needs --pageout)\n"
	"  --order O       of the read phase: seq or rand (default seq)\n"
	"  --pageout       MADV_PAGEOUT all of it between the phases, and drop it from the swap cache where there is a\n"
	"                  cgroup: then exactly these pages come back (the limit is then twice --mb unless given)\n"
	"  --fill F        random (default) or zero: zero pages need no device on newer kernels\n"
	"  --huge          ask for huge pages (default: none)\n"
	"  --seed N        order of rand (default 1)\n"
	"  --wait --hold   print {\"type\":\"ready\"} and wait for a line first; at the end wait for the end of stdin\n"
	"  --wait-read     the same once more before the read phase\n"
	"exit: 0 done, 64 wrong options, 69 not possible here (no swap, no cgroup), 1 anything else\n";

static struct options {
	uint64_t bytes, limit, seed;
	bool limit_given, random, pageout, zero, huge, wait, wait_read, hold;
} opt = { .bytes = 64 << 20, .limit = 32 << 20, .seed = 1 };

static struct counters c[3]; // before the write phase, before the read phase, after it
static struct counters write_end;

static void parse(int argc, char **argv)
{
	enum { MB = 256, LIMIT, ORDER, PAGEOUT, FILL, HUGE, SEED, WAIT, WAIT_READ, HOLD, HELP };
	static const struct option longs[] = {
		{ "mb", 1, 0, MB },	      { "limit-mb", 1, 0, LIMIT }, { "order", 1, 0, ORDER },
		{ "pageout", 0, 0, PAGEOUT }, { "fill", 1, 0, FILL },	   { "huge", 0, 0, HUGE },
		{ "seed", 1, 0, SEED },	      { "wait", 0, 0, WAIT },	   { "wait-read", 0, 0, WAIT_READ },
		{ "hold", 0, 0, HOLD },	      { "help", 0, 0, HELP },	   { 0 }
	};
	for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (o) {
		case MB: opt.bytes = (uint64_t)w_number("mb", optarg, 1, 1 << 20) << 20; break;
		case LIMIT:
			opt.limit = (uint64_t)w_number("limit-mb", optarg, 0, 1 << 20) << 20;
			opt.limit_given = true;
			break;
		case ORDER:
			opt.random = strcmp(optarg, "rand") == 0;
			if (!opt.random && strcmp(optarg, "seq"))
				w_die(W_USAGE, 0, "--order %s: seq or rand is wanted", optarg);
			break;
		case PAGEOUT: opt.pageout = true; break;
		case FILL:
			opt.zero = strcmp(optarg, "zero") == 0;
			if (!opt.zero && strcmp(optarg, "random"))
				w_die(W_USAGE, 0, "--fill %s: random or zero is wanted", optarg);
			break;
		case HUGE: opt.huge = true; break;
		case SEED: opt.seed = (uint64_t)w_number("seed", optarg, 1, INT64_MAX); break;
		case WAIT: opt.wait = true; break;
		case WAIT_READ: opt.wait_read = true; break;
		case HOLD: opt.hold = true; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	if (optind < argc)
		w_die(W_USAGE, 0, "%s: not an option (see --help)", argv[optind]);
	if (opt.pageout && !opt.limit_given)
		opt.limit = opt.bytes * 2 < 8 << 20 ? 8 << 20 : opt.bytes * 2;
	if (!opt.pageout && !opt.limit)
		w_die(W_USAGE, 0, "--limit-mb 0 needs --pageout: nothing else would swap");
	if (opt.limit && opt.limit < 4 << 20)
		w_die(W_USAGE, 0, "--limit-mb: at least 4, or 0");
}

// Swap there must be, and room for what is to go there.
static void need_swap(void)
{
	char text[4096];
	uint64_t total = 0, room = 0;
	if (w_read_file("/proc/meminfo", text, sizeof text) < 0)
		w_die(W_FAILED, errno, "/proc/meminfo");
	w_field(text, "SwapTotal", &total);
	w_field(text, "SwapFree", &room);
	if (!total)
		w_die(W_UNAVAILABLE, 0, "no swap device here (see with-zram)");
	if (room * 1024 < opt.bytes)
		w_die(W_UNAVAILABLE, 0, "%" PRIu64 " MB of swap are free, up to %" PRIu64 " are needed", room >> 10,
		      opt.bytes >> 20);
}

// Pages of the region whose page-table entry is a swap entry (bit 62 of pagemap); -1 where pagemap can't be read.
static int64_t swapped_pages(const char *memory, uint64_t bytes, uint64_t page)
{
	static uint64_t entries[512];
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int64_t count = 0;
	for (uint64_t i = 0, n = bytes / page; i < n;) {
		uint64_t want = n - i < 512 ? n - i : 512;
		ssize_t got = pread(fd, entries, want * 8, (off_t)(((uintptr_t)memory / page + i) * 8));
		if (got <= 0) {
			close(fd);
			return -1;
		}
		for (ssize_t k = 0; k < got / 8; k++)
			count += (int64_t)(entries[k] >> 62 & 1);
		i += (uint64_t)got / 8;
	}
	close(fd);
	return count;
}

static void print_phase(const char *key, const struct counters *before, const struct counters *after, uint64_t touched)
{
	static const char *const keys[] = { "pswpin",	  "pswpout",	"zswpin",      "zswpout",
					    "zswpwb",	  "swpin_zero", "swpout_zero", "thp_swpout",
					    "pgmajfault", "pgfault",	NULL };
	j_open(key, '{');
	j_uint("touched_pages", touched);
	j_int("minflt", after->usage.ru_minflt - before->usage.ru_minflt);
	j_int("majflt", after->usage.ru_majflt - before->usage.ru_majflt);
	counters_print_status(before, after, "VmSwap", "vm_swap");
	counters_print_status(before, after, "RssAnon", "rss_anon");
	counters_print_vmstat(before, after, keys);
	j_uint("duration_ns", after->time_ns - before->time_ns);
	j_uint("cpu_ns", after->cpu_ns - before->cpu_ns);
	j_close('}');
}

static void print_swaps(void)
{
	char text[2048];
	j_open("swaps", '[');
	if (w_read_file("/proc/swaps", text, sizeof text) > 0)
		for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			char name[128], type[32];
			unsigned long long kb;
			if (sscanf(line, "%127s %31s %llu", name, type, &kb) != 3)
				continue; // the heading
			j_open(NULL, '{');
			j_text("name", name);
			j_text("kind", type);
			j_uint("size_kb", kb);
			j_close('}');
		}
	j_close(']');
}

int main(int argc, char **argv)
{
	w_start("swapper");
	parse(argc, argv);
	need_swap();
	struct memcg cg = { 0 };
	if (opt.limit) {
		memcg_make(&cg, "swap", opt.limit, true);
		if (cg.version == 1)
			memcg_set(&cg, "memory.swappiness", "100");
		memcg_enter(&cg); // the parent stays behind to clean up
	}
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), pages = opt.bytes / page;
	uint32_t *order = w_permutation(pages, opt.random ? opt.seed : 0);
	memset(c, 0, sizeof c);
	memset(&write_end, 0, sizeof write_end);
	bool locked = mlockall(MCL_CURRENT) == 0; // so that nothing but the region swaps or is read again from its file
	char *memory =
		mmap(NULL, opt.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		w_die(W_FAILED, errno, "%" PRIu64 " MB", opt.bytes >> 20);
	madvise(memory, opt.bytes, opt.huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	w_wait(opt.wait, NULL, 0);

	// ---- write phase
	uint64_t seed = opt.seed, sum = 0, cached_kb = 0;
	char text[4096];
	counters_read(&c[0], true);
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t *words = (uint64_t *)(void *)(memory + i * page);
		for (uint64_t k = 0; k < page / 8; k++)
			words[k] = opt.zero ? 0 : w_random(&seed);
		if (!opt.zero)
			sum += words[0];
	}
	if (opt.pageout)
		for (int tries = 0; tries < 20 && swapped_pages(memory, opt.bytes, page) != (int64_t)pages; tries++) {
			if (madvise(memory, opt.bytes, 21 /* MADV_PAGEOUT, 5.4 */) < 0)
				w_die(errno == EINVAL ? W_UNAVAILABLE : W_FAILED, errno, "MADV_PAGEOUT");
			w_sleep_ms(20);
		}
	if (opt.pageout && cg.version) {
		// What a disk has written stays in the swap cache, and would come back without a read: squeeze that out.
		const char *file = cg.version == 2 ? "memory.high" : "memory.limit_in_bytes";
		snprintf(text, sizeof text, "%" PRIu64, cg.limit_bytes);
		memcg_set(&cg, file, "4194304");
		memcg_set(&cg, file, cg.version == 2 ? "max" : text);
	}
	counters_read(&write_end, false);
	int64_t swapped_before = swapped_pages(memory, opt.bytes, page);
	w_wait(opt.wait_read, NULL, 0);

	// ---- read phase
	uint64_t read_sum = 0;
	swapped_before = swapped_pages(memory, opt.bytes, page);
	if (w_read_file("/proc/meminfo", text, sizeof text) > 0)
		w_field(text, "SwapCached", &cached_kb);
	counters_read(&c[1], true);
	for (uint64_t i = 0; i < pages; i++)
		read_sum += *(volatile uint64_t *)(void *)(memory + order[i] * page);
	counters_read(&c[2], false);
	int64_t swapped_after = swapped_pages(memory, opt.bytes, page);
	if (read_sum != sum)
		w_die(W_FAILED, 0, "what came back from swap is not what was written");

	j_begin_truth();
	j_uint("pages", pages);
	j_uint("page_size_bytes", page);
	j_text("order", opt.random ? "rand" : "seq");
	j_text("fill", opt.zero ? "zero" : "random");
	j_bool("huge", opt.huge);
	j_bool("pageout", opt.pageout);
	j_bool("rest_locked", locked);
	j_int("swapped_before_read_pages", swapped_before); // from pagemap, -1 unknown
	j_int("swapped_after_read_pages", swapped_after);
	if (opt.pageout && (!opt.limit || opt.limit > opt.bytes * 5 / 4))
		j_int("swapped_in_pages_expected", swapped_before); // nothing is pushed out again meanwhile
	j_uint("system_swap_cached_before_read_kb", cached_kb); // this much may come back without a read of the device
	print_phase("write", &c[0], &write_end, pages);
	print_phase("read", &c[1], &c[2], pages);
	if (w_read_file("/proc/sys/vm/page-cluster", text, sizeof text) > 0)
		j_uint("readahead_pages", 1ull << strtoull(text, NULL, 10));
	print_swaps();
	if (cg.version) {
		uint64_t n;
		j_int("cgroup_version", cg.version);
		j_text("cgroup_directory", cg.directory);
		j_uint("cgroup_id", memcg_id(&cg));
		j_uint("limit_bytes", cg.limit_bytes);
		if (memcg_counter(&cg, "memory.stat", "pswpin", &n))
			j_uint("cgroup_pswpin", n);
		if (memcg_counter(&cg, "memory.stat", "pswpout", &n))
			j_uint("cgroup_pswpout", n);
	}
	j_end_line();
	w_hold(opt.hold);
	w_finish();
}
