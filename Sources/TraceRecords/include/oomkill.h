/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Records of BPF/oomkill.bpf.c. Pages are the kernel's, of page_bytes each. */
#ifndef SWIFTMEM_OOMKILL_H
#define SWIFTMEM_OOMKILL_H

#include <linux/types.h>

#define CMDLINE_BYTES 256
#define CMDLINE_PROCESSES 8192

/* A process's command line: its arguments, each with its NUL, cut at the size. */
struct cmdline {
	__u32 length;
	char bytes[CMDLINE_BYTES];
};

_Static_assert(sizeof(struct cmdline) == 260, "cmdline is shared with Swift");

#define OOM_PATH 512
#define OOM_STACK 64

enum oomkill_kind {
	OOMKILL_VICTIM = 1, /* struct oomkill_event */
	OOMKILL_END = 2, /* struct oomkill_end */
	OOMKILL_SENT = 3, /* struct oomkill_sent */
};

/* Which parts of a struct oomkill_event are true. */
enum oomkill_known {
	OOM_HAS_CONTEXT = 1, /* constraint, gfp, order, total_pages, domain */
	OOM_HAS_MM = 2, /* total_vm, rss, pgtables */
	OOM_HAS_MEMCG = 4, /* limit, usage: of the OOM's own memory cgroup */
	OOM_SIGNALLED = 8, /* SIGKILL was sent (else: it was exiting already) */
	OOM_SHARED_MM = 16, /* killed because it shares the victim's memory */
	OOM_HAS_SIGNALS = 32, /* OOM_SIGNALLED is meaningful */
};

#define OOM_KILLERS 16

/* The name of a program that may kill for want of memory, as words. */
struct oom_killer {
	__u64 name[2];
};

struct oomkill_config {
	__u32 scan_stack; /* find the oom_control on the stack: no function hook */
	__u32 see_signals; /* signal_generate is attached */
	__u32 kernel_stack; /* capture the trigger's kernel stack */
	__u32 padding;
	struct oom_killer killers[OOM_KILLERS]; /* zeros behind the last one */
};

struct oomkill_event {
	__u32 kind;
	__u32 known;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 kill_id; /* the same for all tasks killed in one OOM */
	__u32 trigger_pid;
	__u32 trigger_tid;
	__u32 victim_pid;
	__u32 victim_tid;
	__u32 victim_uid;
	__s32 oom_score_adj;
	__u64 total_vm_pages;
	__u64 file_pages;
	__u64 anon_pages;
	__u64 swap_pages;
	__u64 shmem_pages;
	__u64 pgtables_bytes;
	__u64 total_pages; /* oom_control.totalpages: what the OOM domain may use */
	__u64 limit_pages;
	__u64 usage_pages;
	__u32 constraint; /* enum oom_constraint */
	__u32 gfp_mask;
	__s32 order;
	__s32 stack_bytes; /* negative: an errno */
	__u32 cmdline_len;
	__u32 cgroup_len; /* the victim's memory cgroup, leaf first */
	__u32 domain_len; /* the memory cgroup that ran out, leaf first */
	__u32 page_bytes;
	char trigger_comm[16];
	char victim_comm[16];
	char cmdline[CMDLINE_BYTES];
	char cgroup[OOM_PATH];
	char domain[OOM_PATH];
	__u64 stack[OOM_STACK];
};

_Static_assert(sizeof(struct oomkill_event) == 152 + 32 + 256 + 1024 + 512, "oomkill_event is shared with Swift");

/* A victim's memory is back: reaped, or the process is gone. */
struct oomkill_end {
	__u32 kind;
	__u32 victim_pid;
	__u64 time_ns;
	__u64 since_kill_ns;
	__u64 kill_id;
	__u32 reaped; /* 1: by the OOM reaper; 0: the process exited by itself */
	__u32 page_bytes;
	__u64 before_pages; /* resident at the kill */
	__u64 after_pages; /* resident now */
};

/* SIGKILL or SIGTERM that a program sent to another process; known: OOM_HAS_MM. */
struct oomkill_sent {
	__u32 kind;
	__u32 known;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 signal;
	__u32 page_bytes;
	__u32 sender_pid;
	__u32 sender_uid;
	__u32 victim_pid;
	__u32 victim_uid;
	__s32 oom_score_adj;
	__u32 cgroup_len; /* the victim's memory cgroup, leaf first */
	__u32 sender_cgroup_len; /* the sender's */
	__u32 cmdline_len; /* the victim's */
	__u64 anon_pages;
	__u64 file_pages;
	__u64 shmem_pages;
	__u64 swap_pages;
	char sender_comm[16];
	char victim_comm[16];
	char cmdline[CMDLINE_BYTES];
	char cgroup[OOM_PATH];
	char sender_cgroup[OOM_PATH];
};

_Static_assert(sizeof(struct oomkill_sent) == 56 + 32 + 32 + 256 + 1024, "oomkill_sent is shared with Swift");

_Static_assert(sizeof(struct oomkill_end) == 56, "oomkill_end is shared with Swift");

#endif
