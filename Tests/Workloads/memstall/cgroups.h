// SPDX-License-Identifier: Apache-2.0
//
// The cgroups that memstall runs in: whose limit it is, whose task, and the victim's.
#ifndef SWIFTMEM_MEMSTALL_CGROUPS_H
#define SWIFTMEM_MEMSTALL_CGROUPS_H
#include "../include/memcg.h"
#include "options.h"

static struct memcg outer, inner, beside;

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

// What memory.stat says that reclaim took of a cgroup's pages, and what came back: v1's has the latter alone.
#define TAKEN 4
static const char *const taken_keys[TAKEN] = { "pgscan", "pgsteal", "workingset_refault_anon",
					       "workingset_refault_file" };

struct taken {
	uint64_t pages[TAKEN];
	bool known[TAKEN];
};

static struct taken taken_of(const struct memcg *cg)
{
	struct taken taken;
	for (int i = 0; i < TAKEN; i++)
		taken.known[i] = memcg_counter(cg, "memory.stat", taken_keys[i], &taken.pages[i]);
	return taken;
}

static void print_taken(const char *name, const struct taken *before, const struct taken *after)
{
	j_open(name, '{');
	for (int i = 0; i < TAKEN; i++) {
		if (before->known[i] && after->known[i])
			j_uint(taken_keys[i], after->pages[i] - before->pages[i]);
		else
			j_null(taken_keys[i]);
	}
	j_close('}');
}

// A cgroup's path within its hierarchy.
static const char *path_of(const struct memcg *cg)
{
	return cg->directory + strlen(cg->version == 2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory");
}

#endif
