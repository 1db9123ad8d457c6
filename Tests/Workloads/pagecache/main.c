// SPDX-License-Identifier: Apache-2.0
//
// pagecache: one page-cache access pattern over a file of its own. Truth: the pages asked for, the file's residency
// before and after, and the kernel's counters over the measured phase alone.
#include "../include/counters.h"
#include "../include/memcg.h"
#include "patterns.h"
#include "residency.h"
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

static const char usage[] =
	"usage: pagecache [options]\n"
	"Makes a file, brings it to a known state (cold: no page cached; warm: all), runs one access pattern, prints the\n"
	"truth as one line of JSON, removes the file.\n"
	"  --pattern P      seq-read rand-read mmap-seq mmap-rand write-new overwrite append splice sendfile direct-read\n"
	"                   reread two-procs bigger-than-memory stray-read (default seq-read)\n"
	"  --size-mb N      size of the file, and of what write-new, overwrite and append write (default 100)\n"
	"  --bs N           bytes a call (default 65536; rand-read 4096)\n"
	"  --count N        rand-read: blocks, mmap-rand: pages, each at most once (default 1000)\n"
	"  --times N        passes: reread (default 10), bigger-than-memory (default 2)\n"
	"  --limit-mb N     bigger-than-memory: limit of its memory cgroup (default a quarter of the file, at least 8)\n"
	"  --cold | --warm  state before (default cold)\n"
	"  --no-readahead   POSIX_FADV_RANDOM, MADV_RANDOM\n"
	"  --seed N         order of the random patterns (default 1)\n"
	"  --dir PATH       where the file is made (default .)\n"
	"  --wait --hold    print {\"type\":\"ready\"} and wait for a line first; at the end wait for the end of stdin\n"
	"exit: 0 done, 64 wrong options, 69 not possible here, 1 anything else\n";

static struct options {
	const char *pattern, *directory;
	uint64_t size, bs, count, times, limit, seed;
	bool warm, random_hint, wait, hold;
} opt = { .pattern = "seq-read", .directory = ".", .size = 100 << 20, .seed = 1 };

static const struct pattern {
	const char *name;
	enum kind kind;
} patterns[] = { { "seq-read", READ },		 { "rand-read", READ },	    { "mmap-seq", MAP }, { "mmap-rand", MAP },
		 { "write-new", WRITE },	 { "overwrite", WRITE },    { "append", WRITE }, { "splice", READ },
		 { "sendfile", READ },		 { "direct-read", DIRECT }, { "reread", READ },	 { "two-procs", READ },
		 { "bigger-than-memory", READ }, { "stray-read", READ } };

static bool is(const char *pattern)
{
	return strcmp(opt.pattern, pattern) == 0;
}

// What two-procs' readers hand back.
struct reader_result {
	uint64_t access_pages, calls, bytes;
	int64_t read_bytes, minflt, majflt;
	bool has_io;
};

static struct counters before, after;

static void parse(int argc, char **argv)
{
	enum { PATTERN = 256, SIZE, BS, COUNT, TIMES, LIMIT, COLD, WARM, NORA, SEED, DIRECTORY, WAIT, HOLD, HELP };
	static const struct option longs[] = {
		{ "pattern", 1, 0, PATTERN }, { "size-mb", 1, 0, SIZE },  { "bs", 1, 0, BS },
		{ "count", 1, 0, COUNT },     { "times", 1, 0, TIMES },	  { "limit-mb", 1, 0, LIMIT },
		{ "cold", 0, 0, COLD },	      { "warm", 0, 0, WARM },	  { "no-readahead", 0, 0, NORA },
		{ "seed", 1, 0, SEED },	      { "dir", 1, 0, DIRECTORY }, { "wait", 0, 0, WAIT },
		{ "hold", 0, 0, HOLD },	      { "help", 0, 0, HELP },	  { 0 }
	};
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case PATTERN: opt.pattern = optarg; break;
		case SIZE: opt.size = (uint64_t)w_number("size-mb", optarg, 1, 1 << 20) << 20; break;
		case BS: opt.bs = (uint64_t)w_number("bs", optarg, 1, 1 << 30); break;
		case COUNT: opt.count = (uint64_t)w_number("count", optarg, 1, INT32_MAX); break;
		case TIMES: opt.times = (uint64_t)w_number("times", optarg, 1, 1000000); break;
		case LIMIT: opt.limit = (uint64_t)w_number("limit-mb", optarg, 4, 1 << 20) << 20; break;
		case COLD: opt.warm = false; break;
		case WARM: opt.warm = true; break;
		case NORA: opt.random_hint = true; break;
		case SEED: opt.seed = (uint64_t)w_number("seed", optarg, 1, INT64_MAX); break;
		case DIRECTORY: opt.directory = optarg; break;
		case WAIT: opt.wait = true; break;
		case HOLD: opt.hold = true; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	if (optind < argc)
		w_die(W_USAGE, 0, "%s: not an option (see --help)", argv[optind]);
	if (opt.warm && (is("write-new") || is("bigger-than-memory")))
		w_die(W_USAGE, 0, "--warm does not go with --pattern %s", opt.pattern);
}

// Makes the file of `size` bytes, in memory order, nothing of it sparse.
static void fill(int fd, uint64_t size)
{
	static char block[1 << 20];
	memset(block, 0xa5, sizeof block);
	for (uint64_t at = 0; at < size; at += sizeof block)
		whole(write(fd, block, sizeof block), sizeof block, "making the file");
}

static void run(struct work *w, uint64_t append_at)
{
	if (is("seq-read") || is("reread") || is("two-procs") || is("bigger-than-memory") || is("direct-read"))
		do_seq_read(w);
	else if (is("stray-read"))
		do_stray_read(w);
	else if (is("rand-read"))
		do_rand_read(w);
	else if (is("mmap-seq") || is("mmap-rand"))
		do_map(w);
	else if (is("write-new") || is("overwrite"))
		do_write(w, 0);
	else if (is("append"))
		do_append(w, append_at);
	else if (is("splice"))
		do_splice(w);
	else
		do_sendfile(w);
}

static struct reader_result *readers; // shared with the children
static pid_t reader_pids[2];
static int reader_gate[2];

// Two processes, each with a descriptor of its own, stopped at the gate.
static void start_readers(struct work *w, const char *path)
{
	readers = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (readers == MAP_FAILED || pipe2(reader_gate, O_CLOEXEC) < 0)
		w_die(W_FAILED, errno, "readers");
	pid_t parent = getpid();
	for (int i = 0; i < 2; i++) {
		fflush(stdout);
		pid_t pid = fork();
		if (pid < 0)
			w_die(W_FAILED, errno, "fork");
		if (pid == 0) {
			char go;
			w_die_with(parent);
			close(reader_gate[1]);
			w->fd = open(path, O_RDONLY | O_CLOEXEC);
			if (w->fd < 0 || (opt.random_hint && posix_fadvise(w->fd, 0, 0, POSIX_FADV_RANDOM)))
				_exit(W_FAILED);
			memset(w->buffer, 0, w->bs); // its own copy
			if (read(reader_gate[0], &go, 1) != 1)
				_exit(W_FAILED);
			counters_read(&before, true);
			do_seq_read(w);
			counters_read(&after, false);
			struct reader_result *r = &readers[i];
			*r = (struct reader_result){ w->access_pages,
						     w->calls,
						     w->bytes,
						     0,
						     after.usage.ru_minflt - before.usage.ru_minflt,
						     after.usage.ru_majflt - before.usage.ru_majflt,
						     false };
			r->has_io = counters_delta(before.io, after.io, "read_bytes", &r->read_bytes);
			_exit(0);
		}
		w_undo_process(pid);
		reader_pids[i] = pid;
	}
	close(reader_gate[0]);
}

static void run_readers(struct work *w)
{
	whole(write(reader_gate[1], "gg", 2), 2, "starting the readers");
	for (int i = 0; i < 2; i++) {
		int status;
		while (waitpid(reader_pids[i], &status, 0) < 0)
			if (errno != EINTR)
				w_die(W_FAILED, errno, "wait");
		w_forget_process(reader_pids[i]);
		if (status)
			w_die(W_FAILED, 0, "reader %d failed", (int)reader_pids[i]);
		w->access_pages += readers[i].access_pages;
		w->calls += readers[i].calls;
		w->bytes += readers[i].bytes;
	}
	memset(w->touched, 1, (w->size + w->page - 1) / w->page);
}

int main(int argc, char **argv)
{
	w_start("pagecache");
	parse(argc, argv);
	const struct pattern *pattern = NULL;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		if (is(patterns[i].name))
			pattern = &patterns[i];
	if (!pattern)
		w_die(W_USAGE, 0, "--pattern %s: no such pattern (see --help)", opt.pattern);

	// ---- the file, in its known state
	struct work w = { .fd = -1, .size = opt.size, .page = (uint64_t)sysconf(_SC_PAGESIZE) };
	w.bs = opt.bs ? opt.bs : is("rand-read") ? 4096 : 65536;
	w.times = opt.times ? opt.times : is("reread") ? 10 : is("bigger-than-memory") ? 2 : 1;
	if (w.times > 1 && !is("reread") && !is("bigger-than-memory"))
		w_die(W_USAGE, 0, "--times goes with reread and bigger-than-memory");
	char path[240];
	if ((size_t)snprintf(path, sizeof path, "%s/swiftmem-pagecache-%d.dat", opt.directory, (int)getpid()) >=
	    sizeof path)
		w_die(W_USAGE, 0, "--dir: path too long");
	w_undo_path(W_UNDO_FILE, path);
	int keep = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (keep < 0)
		w_die(W_FAILED, errno, "%s", path);
	uint64_t made = is("write-new") ? 0 : opt.size;
	fill(keep, made);
	if (opt.warm)
		residency_make_warm(keep, made);
	else
		residency_make_cold(keep, made);

	struct statvfs fs;
	w.block = fstatvfs(keep, &fs) == 0 && fs.f_bsize && fs.f_bsize < w.page ? fs.f_bsize : w.page;

	struct memcg cg = { 0 };
	if (is("bigger-than-memory")) {
		uint64_t limit = opt.limit ? opt.limit : opt.size / 4 < (8 << 20) ? 8 << 20 : opt.size / 4;
		if (limit >= opt.size)
			w_die(W_USAGE, 0,
			      "bigger-than-memory: the file (%" PRIu64 " MB) is to be bigger than the limit",
			      opt.size >> 20);
		memcg_make(&cg, "cache", limit, false);
		memcg_enter(&cg); // the parent stays behind to clean up
	}

	// ---- what the pattern needs, all of it before the measured phase
	int flags = O_CLOEXEC | (pattern->kind == WRITE ? O_RDWR : O_RDONLY) | (is("append") ? O_APPEND : 0) |
		    (pattern->kind == DIRECT ? O_DIRECT : 0);
	w.fd = open(path, flags);
	if (w.fd < 0)
		w_die(pattern->kind == DIRECT && errno == EINVAL ? W_UNAVAILABLE : W_FAILED, errno, "%s", path);
	if (opt.random_hint && (errno = posix_fadvise(w.fd, 0, 0, POSIX_FADV_RANDOM)))
		w_die(W_FAILED, errno, "POSIX_FADV_RANDOM");
	uint64_t file_pages = (opt.size * (is("append") ? 2 : 1) + w.page - 1) / w.page;
	w.touched = malloc(file_pages);
	if (posix_memalign((void **)&w.buffer, 4096 > w.page ? 4096 : w.page, w.bs) || !w.touched)
		w_die(W_FAILED, ENOMEM, "buffers");
	memset(w.buffer, 0x3c, w.bs);
	memset(w.touched, 0, file_pages);
	if (is("rand-read")) {
		uint64_t blocks = opt.size / (w.bs < w.page ? w.page : w.bs);
		if (w.bs > w.page && w.bs % w.page)
			w_die(W_USAGE, 0,
			      "rand-read: --bs is to divide a page or be whole pages, as each page is read at most once");
		w.count = opt.count ? opt.count : 1000;
		if (w.count > blocks)
			w.count = blocks;
		w.order = w_permutation(blocks, opt.seed);
	} else if (pattern->kind == MAP) {
		uint64_t pages = opt.size / w.page;
		w.count = is("mmap-seq") ? pages : opt.count ? opt.count : 1000;
		if (w.count > pages)
			w.count = pages;
		w.order = w_permutation(pages, is("mmap-seq") ? 0 : opt.seed);
		void *map = mmap(NULL, opt.size, PROT_READ, MAP_SHARED, w.fd, 0);
		if (map == MAP_FAILED || (opt.random_hint && madvise(map, opt.size, MADV_RANDOM) < 0))
			w_die(W_FAILED, errno, "mmap");
		w.map = map;
	} else if (is("splice")) {
		if (pipe2(w.pipe, O_CLOEXEC) < 0)
			w_die(W_FAILED, errno, "pipe");
		fcntl(w.pipe[1], F_SETPIPE_SZ, 1 << 20);
	}
	if ((w.sink = open("/dev/null", O_WRONLY | O_CLOEXEC)) < 0)
		w_die(W_FAILED, errno, "/dev/null");
	if (is("two-procs"))
		start_readers(&w, path);
	w_wait(opt.wait, reader_pids, is("two-procs") ? 2 : 0);

	// ---- the measured phase
	struct residency was = residency_of(w.fd, made);
	counters_read(&before, true); // touches every page of `before`
	memset(&after, 0, sizeof after);
	if (is("two-procs")) {
		getrusage(RUSAGE_SELF, &before.usage);
		run_readers(&w);
	} else {
		getrusage(RUSAGE_SELF, &before.usage);
		before.time_ns = w_now_ns(CLOCK_MONOTONIC);
		run(&w, made);
	}
	counters_read(&after, false);
	struct residency is_now = residency_of(w.fd, is("append") ? 2 * opt.size : opt.size);
	if (is("stray-read")) // and all of it goes, what was read ahead unused
		residency_make_cold(keep, made);

	// ---- the truth
	uint64_t distinct = 0;
	for (uint64_t i = 0; i < file_pages; i++)
		distinct += w.touched[i];
	int64_t read_bytes = 0, write_bytes = 0, minflt = after.usage.ru_minflt - before.usage.ru_minflt,
		majflt = after.usage.ru_majflt - before.usage.ru_majflt;
	bool has_io = counters_delta(before.io, after.io, "read_bytes", &read_bytes) &&
		      counters_delta(before.io, after.io, "write_bytes", &write_bytes);
	for (int i = 0; is("two-procs") && i < 2; i++) {
		// Their I/O is in the parent's already: the kernel adds a child's when it is waited for.
		minflt += readers[i].minflt;
		majflt += readers[i].majflt;
	}
	int64_t inserted = (int64_t)is_now.resident_pages - (int64_t)was.resident_pages, misses = inserted, pgpgin = 0;
	int64_t fetched = read_bytes / (int64_t)w.page;
	const char *miss_source = "residency";
	if ((pattern->kind == READ || pattern->kind == MAP) && has_io && fetched > inserted) {
		// Some pages are gone again: the limit of bigger-than-memory, reclaim, or DAMON. What was read tells.
		misses = fetched;
		miss_source = "io_read_bytes";
	} else if (is("bigger-than-memory") && !has_io) {
		counters_delta(before.vmstat, after.vmstat, "pgpgin", &pgpgin);
		misses = pgpgin * 1024 / (int64_t)w.page;
		miss_source = "pgpgin";
	} else if (pattern->kind == WRITE) { // a partial write of a page that isn't cached reads it first
		misses = is("overwrite") && !opt.warm ? (int64_t)w.partial_pages : 0;
		miss_source = "pattern";
	}
	struct stat s;
	if (fstat(w.fd, &s) < 0)
		w_die(W_FAILED, errno, "fstat");

	j_begin_truth();
	j_text("pattern", pattern->name);
	static const char *const kinds[] = { "read", "write", "mmap", "direct" };
	j_text("kind", kinds[pattern->kind]);
	j_text("state", opt.warm ? "warm" : "cold");
	j_bool("no_readahead", opt.random_hint);
	j_text("path", path);
	j_uint("inode", s.st_ino);
	j_uint("device_major", major(s.st_dev));
	j_uint("device_minor", minor(s.st_dev));
	j_uint("file_size_bytes", (uint64_t)s.st_size);
	j_uint("page_size_bytes", w.page);
	j_uint("block_size_bytes", w.block);
	j_uint("bs_bytes", w.bs);
	j_uint("calls", w.calls);
	j_uint("asked_bytes", w.bytes);
	j_uint("access_pages", pattern->kind == DIRECT ? 0 : w.access_pages);
	j_uint("direct_pages", pattern->kind == DIRECT ? w.access_pages : 0);
	j_uint("distinct_pages", distinct);
	j_uint("resident_before_pages", was.resident_pages);
	j_uint("resident_after_pages", is_now.resident_pages);
	j_text("residency_source", is_now.source);
	j_int("inserted_pages", inserted);
	j_int("miss_pages_expected", misses);
	j_text("miss_source", miss_source);
	j_int("evicted_pages", pattern->kind == READ || pattern->kind == MAP ? misses - inserted : 0);
	j_uint("dirtied_pages_expected", pattern->kind == WRITE ? distinct : 0);
	if (is_now.has_dirty) {
		j_uint("dirty_after_pages", is_now.dirty_pages);
		j_uint("writeback_after_pages", is_now.writeback_pages);
	}
	if (has_io) { // of this process: bytes fetched from the device (readahead too), bytes of pages dirtied
		j_int("io_read_bytes", read_bytes);
		j_int("io_write_bytes", write_bytes);
	}
	static const char *const keys[] = { "pgpgin",	  "pgpgout", "nr_dirtied", "nr_written",
					    "pgmajfault", "pgfault", NULL };
	counters_print_vmstat(&before, &after, keys);
	j_int("minflt", minflt);
	j_int("majflt", majflt);
	if (is("stray-read")) {
		uint64_t left = is_now.resident_pages > distinct ? is_now.resident_pages - distinct : 0;
		j_uint("readahead_dropped_pages_expected", left);
	}
	if (is("two-procs")) {
		j_open("children", '[');
		for (int i = 0; i < 2; i++) {
			j_open(NULL, '{');
			j_int("pid", reader_pids[i]);
			j_uint("access_pages", readers[i].access_pages);
			if (readers[i].has_io)
				j_int("io_read_bytes", readers[i].read_bytes);
			j_close('}');
		}
		j_close(']');
	}
	if (pattern->kind == MAP) {
		counters_print_status(&before, &after, "VmRSS", "vm_rss");
		counters_print_status(&before, &after, "RssFile", "rss_file");
	}
	if (cg.version) {
		j_int("cgroup_version", cg.version);
		j_text("cgroup_directory", cg.directory);
		j_uint("cgroup_id", memcg_id(&cg));
		j_uint("limit_bytes", cg.limit_bytes);
		j_uint("times", w.times);
	} else if (is("reread"))
		j_uint("times", w.times);
	j_uint("duration_ns", after.time_ns - before.time_ns);
	j_end_line();
	w_hold(opt.hold);
	w_finish();
}
