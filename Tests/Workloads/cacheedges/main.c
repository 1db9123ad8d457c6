// SPDX-License-Identifier: Apache-2.0
//
// cacheedges: uses of the page cache that are easily counted wrong. Truth: the pages that each call overlaps.
#include "ahead.h"
#include "maps.h"
#include "reads.h"
#include "work.h"

static const char usage[] =
	"usage: cacheedges --case C [options]\n"
	"Brings files to a known state, uses them in one way, prints the truth as one line of JSON, removes what it made.\n"
	"  --case C         walk: read every file below --path in blocks of --bs, --count times, cold at first\n"
	"                   splice-mixed: --count pages by splice, a read of --bs bytes of /dev/zero behind each\n"
	"                   splice-overlap: --count times 16 pages by splice, then the last 8 of them\n"
	"                   sendfile: a cold file of --size-kb by sendfile, --bs bytes a call\n"
	"                   uring: a cold file of --size-kb by io_uring, --bs bytes a read\n"
	"                   private-write: a write to each of --count pages of a private mapping\n"
	"                   private-children: --count children, each writes to the one page of a private mapping\n"
	"                   ahead-write: of --size-kb read ahead a page in 16 is written, one read, the rest dropped\n"
	"                   ahead-overwrite: --size-kb read ahead, then written, --bs bytes a call\n"
	"  --size-kb N --bs N --count N\n"
	"                   (default 20480, 65536, 1)\n"
	"  --path P         what walk reads\n"
	"  --dir PATH       where files are made (default .)\n"
	"  --wait --hold    print {\"type\":\"ready\"} and wait for a line first; at the end wait for the end of stdin\n"
	"exit: 0 done, 64 wrong options, 69 not possible here, 1 anything else\n";

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = { { "walk", case_walk },
	      { "splice-mixed", case_splice_mixed },
	      { "splice-overlap", case_splice_overlap },
	      { "sendfile", case_sendfile },
	      { "uring", case_uring },
	      { "private-write", case_private_write },
	      { "private-children", case_private_children },
	      { "ahead-write", case_ahead_write },
	      { "ahead-overwrite", case_ahead_overwrite } };

static void parse(int argc, char **argv)
{
	enum { CASE = 256, SIZE, BS, COUNT, FILES, DIRECTORY, WAIT, HOLD, HELP };
	static const struct option longs[] = { { "case", 1, 0, CASE },	{ "size-kb", 1, 0, SIZE },
					       { "bs", 1, 0, BS },	{ "count", 1, 0, COUNT },
					       { "path", 1, 0, FILES }, { "dir", 1, 0, DIRECTORY },
					       { "wait", 0, 0, WAIT },	{ "hold", 0, 0, HOLD },
					       { "help", 0, 0, HELP },	{ 0 } };
	opt.size = 20480 << 10;
	opt.bs = 65536;
	opt.count = 1;
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case CASE: opt.name = optarg; break;
		case SIZE: opt.size = (uint64_t)w_number("size-kb", optarg, 1, 1 << 30) << 10; break;
		case BS: opt.bs = (uint64_t)w_number("bs", optarg, 1, 1 << 30); break;
		case COUNT: opt.count = (uint64_t)w_number("count", optarg, 1, 1 << 20); break;
		case FILES: opt.path = optarg; break;
		case DIRECTORY: opt.directory = optarg; break;
		case WAIT: opt.wait = true; break;
		case HOLD: opt.hold = true; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	if (optind < argc)
		w_die(W_USAGE, 0, "%s: not an option (see --help)", argv[optind]);
}

int main(int argc, char **argv)
{
	w_start("cacheedges");
	parse(argc, argv);
	page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	void (*run)(void) = NULL;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (opt.name && strcmp(cases[i].name, opt.name) == 0)
			run = cases[i].run;
	if (!run)
		w_die(W_USAGE, 0, "--case %s: no such case (see --help)", opt.name ? opt.name : "");
	run();
	j_begin_truth();
	j_text("case", opt.name);
	if (truth.path) {
		j_text("path", truth.path);
		j_uint("inode", truth.inode);
	}
	j_uint("page_size_bytes", page_size);
	j_uint("calls", truth.calls);
	j_uint("access_pages", truth.access_pages);
	j_uint("fault_pages", truth.fault_pages);
	j_uint("miss_pages", truth.miss_pages);
	j_uint("dirtied_pages", truth.dirtied_pages);
	j_uint("used_pages", truth.used_pages);
	j_uint("dropped_pages", truth.dropped_pages);
	j_end_line();
	w_hold(opt.hold);
	w_finish();
}
