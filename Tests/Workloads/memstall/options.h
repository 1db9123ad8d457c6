// SPDX-License-Identifier: Apache-2.0
//
// The options of memstall.
#ifndef SWIFTMEM_MEMSTALL_OPTIONS_H
#define SWIFTMEM_MEMSTALL_OPTIONS_H
#include "../include/workload.h"
#include <sched.h>

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

#endif
