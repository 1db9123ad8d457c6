// SPDX-License-Identifier: Apache-2.0
//
// The options of pagecache, and the names of its patterns.
#ifndef SWIFTMEM_PAGECACHE_OPTIONS_H
#define SWIFTMEM_PAGECACHE_OPTIONS_H
#include "patterns.h"

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

// The pattern that was asked for.
static const struct pattern *pattern_of(void)
{
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		if (is(patterns[i].name))
			return &patterns[i];
	w_die(W_USAGE, 0, "--pattern %s: no such pattern (see --help)", opt.pattern);
}

#endif
