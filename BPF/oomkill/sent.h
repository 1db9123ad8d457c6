/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The record of a process that another one told to end: daemons kill for want of memory before the kernel has to. */
#ifndef SWIFTMEM_OOMKILL_SENT_H
#define SWIFTMEM_OOMKILL_SENT_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/cgroup.h"
#include "lib/cmdline.h"
#include "lib/loss.h"
#include "lib/page.h"
#include "lib/rss.h"
#include "oomkill/oom_context.h"
#include "oomkill/state.h"

/* include/uapi/asm-generic/signal.h */
#define SIGKILL 9
#define SIGTERM 15

/* include/linux/signal.h: the kernel itself sends it */
#define SEND_SIG_PRIV ((void *)1)

/* A program's signal has a code of 0 or below, or no info at all: cgroup.kill's (kernel/cgroup/cgroup.c, __cgroup_kill). */
static __always_inline bool is_programs(struct kernel_siginfo *info)
{
	if (info == SEND_SIG_PRIV)
		return false;
	return !info || BPF_CORE_READ(info, si_code) <= 0;
}

/* The signals of other programs are no records: a service that is stopped has hundreds of them. */
static __always_inline bool may_kill_for_memory(void)
{
	struct oom_killer self = {};
	u64 found = 0;

	bpf_get_current_comm(&self, sizeof(self));
	/* no branch, of a loop neither: the verifier would go through all that follows once more for it */
#pragma clang loop unroll(full)
	for (u32 i = 0; i < OOM_KILLERS; i++)
		found |= is_zero((self.name[0] ^ config.killers[i].name[0]) |
				 (self.name[1] ^ config.killers[i].name[1]));
	return found != 0;
}

static __always_inline int report_sent(int signal, struct task_struct *victim)
{
	u32 sender = bpf_get_current_pid_tgid() >> 32, pid = BPF_CORE_READ(victim, tgid);

	if (!sender || sender == pid)
		return 0;
	struct oomkill_sent *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		lost(LOSS_RING_FULL);
		return 0;
	}
	e->kind = OOMKILL_SENT;
	e->time_ns = bpf_ktime_get_ns();
	e->signal = signal;
	e->page_bytes = PAGE_SIZE;
	e->sender_pid = sender;
	e->sender_uid = bpf_get_current_uid_gid();
	e->victim_pid = pid;
	e->victim_uid = BPF_CORE_READ(victim, real_cred, uid.val);
	e->oom_score_adj = BPF_CORE_READ(victim, signal, oom_score_adj);
	bpf_get_current_comm(e->sender_comm, sizeof(e->sender_comm));
	BPF_CORE_READ_STR_INTO(&e->victim_comm, victim, group_leader, comm);
	e->cgroup_len = memcg_path(memcg_of(victim), e->cgroup, sizeof(e->cgroup));
	e->sender_cgroup_len =
		memcg_path(memcg_of((void *)bpf_get_current_task()), e->sender_cgroup, sizeof(e->sender_cgroup));
	e->cmdline_len = copy_cmdline(pid, e->cmdline);

	struct mm_struct *mm = BPF_CORE_READ(victim, mm);
	u64 pages[MM_COUNTERS] = {};

	if (mm)
		mm_rss(mm, pages);
	e->known = mm ? OOM_HAS_MM : 0;
	e->anon_pages = pages[MM_ANONPAGES];
	e->file_pages = pages[MM_FILEPAGES];
	e->shmem_pages = pages[MM_SHMEMPAGES];
	e->swap_pages = pages[MM_SWAPENTS];
	bpf_ringbuf_submit(e, 0);
	return 0;
}

#endif
