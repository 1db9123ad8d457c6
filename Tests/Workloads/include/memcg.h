// SPDX-License-Identifier: Apache-2.0
//
// A memory cgroup of one's own, v1 or v2, removed with the program.
#ifndef SWIFTMEM_MEMCG_H
#define SWIFTMEM_MEMCG_H
#include "workload.h"

struct memcg {
	int version; // 1 or 2
	char directory[160];
	bool swap_limited; // the "no swap" limit was accepted
	uint64_t limit_bytes;
};

/// 2 when the unified hierarchy has the memory controller, 1 when the v1 one is mounted, else 0.
static inline int memcg_version(void)
{
	char text[1024];
	if (w_read_file("/sys/fs/cgroup/cgroup.controllers", text, sizeof text) > 0 && strstr(text, "memory"))
		return 2;
	struct stat s;
	return stat("/sys/fs/cgroup/memory/memory.limit_in_bytes", &s) == 0 ||
			       stat("/sys/fs/cgroup/memory/cgroup.procs", &s) == 0
		       ? 1
		       : 0;
}

static inline int memcg_set(const struct memcg *cg, const char *file, const char *value)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", cg->directory, file);
	return w_write_file(path, value);
}

/// Makes `/sys/fs/cgroup[/memory]/swiftmem-<purpose>-<pid>`, limited; without swap where `swap` is false and the kernel
/// lets it be said. Dies with 69 when there is no memory controller, with 1 when the limit is refused.
static inline void memcg_make(struct memcg *cg, const char *purpose, uint64_t limit_bytes, bool swap)
{
	memset(cg, 0, sizeof *cg);
	cg->version = memcg_version();
	cg->limit_bytes = limit_bytes;
	if (!cg->version)
		w_die(W_UNAVAILABLE, 0, "no memory cgroups here (neither v2 nor v1 under /sys/fs/cgroup)");
	const char *root = cg->version == 2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
	if (cg->version == 2) {
		// Left on afterwards: other cgroups may have come to rely on it meanwhile.
		char on[1024];
		if (w_read_file("/sys/fs/cgroup/cgroup.subtree_control", on, sizeof on) < 0 || !strstr(on, "memory")) {
			int e = w_write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
			if (e)
				w_die(W_UNAVAILABLE, e,
				      "enable the memory controller in /sys/fs/cgroup/cgroup.subtree_control");
		}
	}
	snprintf(cg->directory, sizeof cg->directory, "%s/swiftmem-%s-%d", root, purpose, (int)getpid());
	w_undo_path(W_UNDO_DIRECTORY, cg->directory);
	if (mkdir(cg->directory, 0755) < 0)
		w_die(errno == EEXIST ? W_FAILED : W_UNAVAILABLE, errno, "%s", cg->directory);
	char value[32];
	snprintf(value, sizeof value, "%" PRIu64, limit_bytes);
	int e = memcg_set(cg, cg->version == 2 ? "memory.max" : "memory.limit_in_bytes", value);
	if (e)
		w_die(W_FAILED, e, "limit of %s", cg->directory);
	if (!swap) {
		// v1 counts memory + swap together, so the same limit leaves none for swap.
		cg->swap_limited = cg->version == 2 ? memcg_set(cg, "memory.swap.max", "0") == 0
						    : memcg_set(cg, "memory.memsw.limit_in_bytes", value) == 0;
		if (cg->version == 1)
			memcg_set(cg, "memory.swappiness", "0");
	}
}

/// Moves a process into the cgroup.
static inline void memcg_add(const struct memcg *cg, pid_t pid)
{
	char value[16];
	snprintf(value, sizeof value, "%d", (int)pid);
	int e = memcg_set(cg, "cgroup.procs", value);
	if (e)
		w_die(W_FAILED, e, "move %d to %s", (int)pid, cg->directory);
}

/// A counter of the cgroup: `key` in `file`, or the whole file when `key` is NULL; false where the kernel has none.
static inline bool memcg_counter(const struct memcg *cg, const char *file, const char *key, uint64_t *value)
{
	char path[256], text[8192];
	snprintf(path, sizeof path, "%s/%s", cg->directory, file);
	if (w_read_file(path, text, sizeof text) < 0)
		return false;
	if (key)
		return w_field(text, key, value);
	*value = strtoull(text, NULL, 10);
	return true;
}

/// OOM kills in the cgroup so far (v1: since 4.13).
static inline bool memcg_oom_kills(const struct memcg *cg, uint64_t *kills)
{
	return memcg_counter(cg, cg->version == 2 ? "memory.events" : "memory.oom_control", "oom_kill", kills);
}

/// The memory cgroup of a process as its /proc/PID/cgroup shows it (the third field of the matching line).
static inline bool memcg_path_of(int version, pid_t pid, char *path, size_t size)
{
	char file[48], text[4096];
	snprintf(file, sizeof file, "/proc/%d/cgroup", (int)pid);
	if (w_read_file(file, text, sizeof text) < 0)
		return false;
	for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *controllers = strchr(line, ':');
		char *third = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!third)
			continue;
		*third++ = 0;
		controllers++;
		bool mine = version == 2 ? *controllers == 0 : false;
		for (char *s2, *c = strtok_r(controllers, ",", &s2); c && version == 1; c = strtok_r(NULL, ",", &s2))
			mine = mine || strcmp(c, "memory") == 0;
		if (mine) {
			snprintf(path, size, "%s", third);
			return true;
		}
	}
	return false;
}

/// The cgroup's id as bpf_get_current_cgroup_id and the kernfs node have it: the inode of its directory.
static inline uint64_t memcg_id(const struct memcg *cg)
{
	struct stat s;
	return stat(cg->directory, &s) == 0 ? (uint64_t)s.st_ino : 0;
}

/// Goes on in a worker inside the cgroup; the parent never returns from here, it guards. So that whatever happens
/// inside (an OOM kill too), the cgroup is removed.
static inline void memcg_enter(const struct memcg *cg)
{
	int gate;
	pid_t pid = w_fork_worker(&gate);
	if (pid == 0)
		return;
	memcg_add(cg, pid);
	w_guard(pid, gate);
}

#endif
