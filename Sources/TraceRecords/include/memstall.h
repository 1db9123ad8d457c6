/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What BPF/memstall.bpf.c adds up, per task, cause and limit; only ever growing. */
#ifndef SWIFTMEM_MEMSTALL_H
#define SWIFTMEM_MEMSTALL_H

#include <linux/types.h>

#define MEMSTALL_ROWS 16384
#define MEMSTALL_TASKS 10240 /* that stall at the same time */
#define MEMSTALL_CPUS 4096
#define MEMSTALL_CGROUPS 4096
#define MEMSTALL_GROUP_CPUS 16384 /* cgroups whose tasks stall, on each CPU */
#define MEMSTALL_PATH 512
#define MEMSTALL_SLOTS 36 /* powers of two of microseconds: up to nine hours */
#define MEMSTALL_RANGES 64
#define MEMSTALL_NODES 64 /* MAX_NUMNODES of most kernels */
#define MEMSTALL_ORDERS 16 /* a power of two; the buddy allocator has fewer */
#define MEMSTALL_SHRINKERS 256
#define MEMSTALL_EVICTIONS 8192 /* of whom by whom */
#define MEMSTALL_DEPTH 4 /* stalls within stalls; a power of two */
#define MEMSTALL_STACK_ROWS 65536 /* with --stack */
#define MEMSTALL_WALKS 1024 /* tasks whose stacks are captured at the same time */

/* Why a task waits. The order is that of MemStallCause in Swift. */
enum memstall_cause {
	MEMSTALL_OTHER, /* PSI counts it, and nothing here says why */
	MEMSTALL_DIRECT_RECLAIM,
	MEMSTALL_MEMCG_MAX,
	MEMSTALL_MEMCG_HIGH,
	MEMSTALL_COMPACTION,
	MEMSTALL_REFAULT,
	MEMSTALL_SWAPIN,
	MEMSTALL_OOM,
	MEMSTALL_DIRTY_THROTTLE,
	MEMSTALL_KSWAPD,
	MEMSTALL_KCOMPACTD,
	MEMSTALL_NODE_RECLAIM,
	MEMSTALL_BLKCG_THROTTLE,
	MEMSTALL_ASKED, /* reclaim or compaction that somebody asked for: no want of memory */
	MEMSTALL_CAUSES,
};

/* What a kernel function on the stack says of a stall: bits of struct memstall_range. */
enum memstall_place {
	MEMSTALL_AT_HIGH = 1, /* throttling beyond memory.high */
	MEMSTALL_AT_CHARGE = 2, /* charging a memory cgroup */
	MEMSTALL_AT_ASKED = 4, /* a write to a control file */
	MEMSTALL_AT_SWAP = 8, /* a page in swap */
	MEMSTALL_AT_FILE = 16, /* a page of a file */
	MEMSTALL_AT_DIRECT = 32, /* the page allocator's reclaim */
	MEMSTALL_AT_COMPACT = 64, /* the page allocator's compaction */
	MEMSTALL_AT_KSWAPD = 128,
	MEMSTALL_AT_KCOMPACTD = 256,
	MEMSTALL_AT_NODE = 512, /* zone_reclaim_mode */
	MEMSTALL_AT_BLKCG = 1024, /* blk-cgroup's delay of whoever makes others swap */
};

/* A function of the kernel's image: from an address, as many bytes. */
struct memstall_range {
	__u64 start;
	__u32 length;
	__u32 place;
};

struct memstall_config {
	__u64 min_ns; /* shorter stalls are not sent */
	__u32 trace; /* each stall is sent */
	__u32 ranges; /* how many of the functions are known */
	__u32 no_psi; /* PSI is off, though its functions are called (psi=0) */
	__u32 padding;
	struct memstall_range functions[MEMSTALL_RANGES];
};

_Static_assert(sizeof(struct memstall_config) == 24 + 16 * MEMSTALL_RANGES, "memstall_config is shared with Swift");

/* A task, why it waits, and whose limit that is; its start distinguishes it from a later one of the same id. */
struct memstall_key {
	__u64 start_ns;
	__u64 cgroup; /* kernfs id of its memory cgroup, 0 unknown */
	__u64 limit_cgroup; /* of the one whose limit it is, 0: none or unknown */
	__u64 kernel_stack; /* hashes of the stacks that it began with; 0: none, or not wanted */
	__u64 user_stack;
	__u32 pid;
	__u32 tid;
	__u32 cause;
	__u32 padding;
};

_Static_assert(sizeof(struct memstall_key) == 56, "memstall_key is shared with Swift");

/* A task changes its own rows only, so that there is one copy of each for all CPUs. */
struct memstall_counters {
	__u64 count;
	__u64 stalled_ns;
	__u64 psi_ns; /* the part of it that PSI counts */
	__u64 off_cpu_ns; /* the part of it that the task was off the CPU */
	__u64 reclaimed_pages;
	__u64 longest_ns[2]; /* of the epochs below: the one now, and the one before it */
	__u32 epoch[2];
	char comm[16];
};

_Static_assert(sizeof(struct memstall_counters) == 80, "memstall_counters is shared with Swift");

/* One cause a task is in: the innermost runs, the others wait for it. */
struct memstall_piece {
	__u64 begin_ns;
	__u64 own_ns; /* without those inside, up to the task's since_ns */
	__u64 off_ns;
	__u64 reclaimed_pages;
	__u64 limit_cgroup;
	__u64 kernel_stack;
	__u64 user_stack;
	__u32 cause;
	__u32 kind; /* what opened it, enum memstall_kind */
	__u32 gfp;
	__s32 order; /* -1: has none */
	__u32 padding;
	__u8 psi; /* PSI counts it */
	__u8 open; /* why is not known yet */
	__u8 more_padding[2];
};

_Static_assert(sizeof(struct memstall_piece) == 80, "memstall_piece is shared with Swift");

/* What user space tells the programs: keys of the map `settings`. */
enum memstall_setting {
	MEMSTALL_EPOCH, /* the number of the interval */
	MEMSTALL_LOOKS, /* not 0: some stall seems long; each task that leaves a CPU is looked at */
	MEMSTALL_SETTINGS,
};

enum memstall_kind {
	MEMSTALL_BY_DIRECT,
	MEMSTALL_BY_MEMCG,
	MEMSTALL_BY_COMPACTION,
	MEMSTALL_BY_PSI,
	MEMSTALL_BY_SWITCH,
	MEMSTALL_BY_DIRTY,
	MEMSTALL_BY_OOM,
	MEMSTALL_BY_KSWAPD,
};

/* A task that stalls now. */
struct memstall_task {
	struct memstall_piece pieces[MEMSTALL_DEPTH];
	__u64 start_ns;
	__u64 cgroup;
	__u64 since_ns; /* from here on time is the innermost piece's */
	__u64 off_since_ns; /* 0: on a CPU */
	__u64 shrinks_ns; /* since when it is in a shrinker; 0: it is in none */
	__u32 pid;
	__u32 tid;
	__u32 depth;
	__u32 cpu; /* where PSI counts it, by in_psi */
	__u8 in_psi;
	__u8 wanted; /* by the filter */
	__u8 padding[6];
	char comm[16];
};

_Static_assert(sizeof(struct memstall_task) == 80 * MEMSTALL_DEPTH + 80, "memstall_task is shared with Swift");

/*
 * How long a CPU had a stalled task: PSI's "some" of one CPU. Only its own programs change it, but for
 * the tasks that left it for another CPU, which are added up apart.
 */
struct memstall_cpu {
	__u64 some_ns;
	__u64 since_ns; /* 0: none is stalled */
	__s64 stalled;
	__u64 left_seen; /* those of `left` that `stalled` is without */
	__u64 left;
	__u64 left_ns; /* when the last one left */
	__u64 nonidle_ns; /* of a cgroup: how long PSI says that it was not idle here, since the first reading */
	__u32 nonidle_seen; /* PSI's own sum at the last reading, which has 32 bits */
	__u32 nonidle_known;
};

_Static_assert(sizeof(struct memstall_cpu) == 64, "memstall_cpu is shared with Swift");

/* A cgroup on a CPU: what the map `group_cpus` has a struct memstall_cpu of. */
struct memstall_group_cpu {
	__u64 cgroup;
	__u32 cpu;
	__u32 padding;
};

_Static_assert(sizeof(struct memstall_group_cpu) == 16, "memstall_group_cpu is shared with Swift");

/* A memory cgroup's path: the names from the leaf to the root, each with its NUL. */
struct memstall_cgroup {
	__u64 address; /* of its struct cgroup, which may be gone */
	__u32 length;
	__u32 ready; /* 0: it is being found out */
	char names[MEMSTALL_PATH];
};

_Static_assert(sizeof(struct memstall_cgroup) == 528, "memstall_cgroup is shared with Swift");

/* What the kernel's own threads did on a node; each is changed by its own thread only. */
struct memstall_node {
	__u64 kswapd_rounds; /* wakings, and rounds without a sleep between them */
	__u64 kcompactd_rounds;
	__u64 kcompactd_ns;
	__u64 kcompactd_since_ns; /* 0: it sleeps */
	__u64 orders[MEMSTALL_ORDERS]; /* kswapd's rounds by the order that was wanted */
};

_Static_assert(sizeof(struct memstall_node) == 32 + 8 * MEMSTALL_ORDERS, "memstall_node is shared with Swift");

/* A shrinker, by its function scan_objects(): what it did in reclaim. */
struct memstall_shrinker {
	__u64 calls;
	__u64 total_ns;
	__u64 longest_ns[2]; /* of the epochs below */
	__u64 freed; /* objects */
	__u32 epoch[2];
};

_Static_assert(sizeof(struct memstall_shrinker) == 48, "memstall_shrinker is shared with Swift");

/* Who evicted whose pages, for what limit; kernfs ids of memory cgroups. */
struct memstall_eviction_key {
	__u64 evictor; /* 0: a thread of the kernel, or unknown */
	__u64 owner; /* 0: unknown */
	__u64 limit; /* 0: none, or unknown */
	__u32 cause;
	__u32 padding;
};

_Static_assert(sizeof(struct memstall_eviction_key) == 32, "memstall_eviction_key is shared with Swift");

enum memstall_eviction_kind {
	MEMSTALL_ANONYMOUS, /* shared memory among it, which goes to swap too */
	MEMSTALL_FILE,
	MEMSTALL_UNKNOWN_KIND, /* the event that says which was not seen */
	MEMSTALL_EVICTION_KINDS,
};

struct memstall_eviction {
	__u64 pages[MEMSTALL_EVICTION_KINDS];
};

_Static_assert(sizeof(struct memstall_eviction) == 24, "memstall_eviction is shared with Swift");

/* A stall that is over, for --trace. */
struct memstall_event {
	__u64 end_ns; /* CLOCK_MONOTONIC */
	__u64 stalled_ns;
	__u64 off_cpu_ns;
	__u64 reclaimed_pages;
	__u64 cgroup;
	__u64 limit_cgroup;
	__u32 pid;
	__u32 tid;
	__u32 cause;
	__u32 gfp;
	__s32 order;
	__u32 padding;
	char comm[16];
};

_Static_assert(sizeof(struct memstall_event) == 88, "memstall_event is shared with Swift");

#endif
