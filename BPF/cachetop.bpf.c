/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cachetop: the page cache's accounting by process and file.
 *
 * There are two maps. The programs count into the one; user space puts the other
 * in its place, which returns when every program that saw the first is done
 * (kernel/bpf/syscall.c, maybe_wait_bpf_programs()), and empties it: no count
 * falls between, and the maps hold no more than one interval.
 */
#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "cachetop.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define PAGECACHE_BY_FILE
/*
 * An entry is one process' use of one file: only its own threads meet at it.
 * Relaxed, for the compiler then uses the one atomic instruction that 5.10 knows.
 */
#define COUNT(counter, pages) __atomic_fetch_add(&(counter), (pages), __ATOMIC_RELAXED)
#include "lib/unpreempted.h"
#include "pagecache/pagecache.h"
#include "lib/dentry.h"

#define ENTRIES 32768
#define PATHS 8192

const volatile struct cachetop_config config SEC(".rodata.config") = {};

struct entries {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ENTRIES);
	__type(key, struct cachetop_key);
	__type(value, struct cachetop_entry);
};

struct entries entries_0 SEC(".maps");
struct entries entries_1 SEC(".maps");

/* The one that is counted into. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct entries);
} active SEC(".maps") = {
	.values = { [0] = &entries_0 },
};

/* Names of the files that came into the maps since they were last read. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PATHS);
	__type(key, struct cachetop_file);
	__type(value, struct cachetop_path);
} paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cachetop_path);
} path_scratch SEC(".maps");

/* What found no room at all. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pagecache_counters);
} overflow SEC(".maps");

static __always_inline void note_path(struct inode *inode, u64 number, u32 device)
{
	struct cachetop_file file = { .inode = number, .device = device };
	u32 zero = 0;
	struct cachetop_path *path = bpf_map_lookup_elem(&path_scratch, &zero);

	if (!path || bpf_map_lookup_elem(&paths, &file))
		return;
	path->length = inode_path(inode, path->names, sizeof(path->names), &path->cut);
	if (bpf_map_update_elem(&paths, &file, path, BPF_ANY))
		lost(LOSS_NAME);
}

/* A first sight of a process at a file, in this interval. */
static __noinline int new_entry(struct address_space *mapping, struct cachetop_key *key)
{
	struct cachetop_entry entry = { .uid = (u32)bpf_get_current_uid_gid() };
	u32 zero = 0;
	void *map = bpf_map_lookup_elem(&active, &zero);

	if (!map)
		return 0;
	struct task_struct *task = (void *)bpf_get_current_task();

	BPF_CORE_READ_STR_INTO(&entry.comm, task, group_leader, comm);
	if (config.cgroup1) {
		struct mem_cgroup *memcg = memcg_of(task);

		entry.cgroup = memcg ? BPF_CORE_READ(memcg, css.cgroup, kn, id) : 0;
	} else {
		entry.cgroup = bpf_get_current_cgroup_id();
	}
	if (key->device != CACHETOP_NO_FILE) {
		struct inode *host = BPF_CORE_READ(mapping, host);

		if ((BPF_CORE_READ(host, i_mode) & S_IFMT) == S_IFBLK)
			entry.flags |= CACHETOP_BLOCK_DEVICE;
		else if (!BPF_CORE_READ(host, i_nlink))
			entry.flags |= CACHETOP_DELETED;
		if (config.paths)
			note_path(host, key->inode, key->device);
	}
	/* another thread may have been quicker */
	bpf_map_update_elem(map, key, &entry, BPF_NOEXIST);
	return 0;
}

/* The current process's use of a file, or of what file is not known; NULL where there is no room. */
static __always_inline struct cachetop_entry *current_entry(struct address_space *mapping)
{
	struct cachetop_key key = {
		.device = CACHETOP_NO_FILE,
		.pid = bpf_get_current_pid_tgid() >> 32,
	};
	u32 zero = 0;
	void *map = bpf_map_lookup_elem(&active, &zero);

	if (!map)
		return NULL;
	if (mapping) {
		struct inode *host = BPF_CORE_READ(mapping, host);

		key.inode = BPF_CORE_READ(host, i_ino);
		key.device = BPF_CORE_READ(host, i_sb, s_dev);
	}
	struct cachetop_entry *entry = bpf_map_lookup_elem(map, &key);

	if (!entry) {
		new_entry(mapping, &key);
		entry = bpf_map_lookup_elem(map, &key);
	}
	if (!entry)
		lost(LOSS_MAP_FULL);
	return entry;
}

static __always_inline struct pagecache_counters *counters_of(struct address_space *mapping)
{
	struct cachetop_entry *entry = current_entry(mapping);
	u32 zero = 0;

	return entry ? &entry->counts : bpf_map_lookup_elem(&overflow, &zero);
}

/* What a process did before an exec in the same interval bears its old name: here is the new one. */
SEC("tp_btf/sched_process_exec")
int UNPREEMPTED(process_name_btf, struct task_struct *task)
{
	struct cachetop_entry *entry = filtered_in() ? current_entry(NULL) : NULL;

	if (!entry)
		return 0;
	bpf_get_current_comm(entry->comm, sizeof(entry->comm));
	entry->flags |= CACHETOP_EXECUTED;
	return 0;
}
