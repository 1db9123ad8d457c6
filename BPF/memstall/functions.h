/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Where functions can be hooked: PSI's own sections, to the nanosecond; the cgroup that is reclaimed from; the OOM killer. */
#ifndef SWIFTMEM_MEMSTALL_FUNCTIONS_H
#define SWIFTMEM_MEMSTALL_FUNCTIONS_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/twice.h"
#include "memstall/causes.h"
#include "memstall/limits.h"
#include "memstall/pieces.h"

/*
 * A section within a section changes nothing (psi_memstall_enter(), kernel/sched/psi.c). Where PSI is off the
 * functions are called all the same, and leave unsaid which sections lie within others.
 */
static __always_inline int section_begins(void)
{
	struct beginning b = { .kind = MEMSTALL_BY_PSI, .order = -1, .psi = true, .open = true };

	if (!config.no_psi && !current_in_memstall())
		begin_stall(&b);
	return 0;
}

/* `before`: what in_memstall was at the section's begin. */
static __always_inline int section_ends(void *ctx, unsigned long *before)
{
	unsigned long inner = 0;
	struct memstall_task *t = current_stall();
	struct memstall_piece *p = t ? innermost(t) : NULL;

	bpf_probe_read_kernel(&inner, sizeof(inner), before);
	if (inner || !p || p->kind != MEMSTALL_BY_PSI)
		return 0;
	if (p->open) {
		p->open = 0;
		p->cause = cause_of(places_of_stack(ctx));
		if (p->cause == MEMSTALL_MEMCG_HIGH || p->cause == MEMSTALL_MEMCG_MAX)
			p->limit_cgroup = limit_by_counters(p->cause == MEMSTALL_MEMCG_HIGH);
	}
	close_piece(t, bpf_ktime_get_ns());
	return 0;
}

TWICE("fentry/psi_memstall_enter", section_begin, fentry)
{
	return section_begins();
}

TWICE("fentry/psi_memstall_leave", section_end, fentry)
{
	u64 flags = 0;

	/* 5.10 lets no argument be read that points to a number */
	bpf_probe_read_kernel(&flags, sizeof(flags), ctx);
	return section_ends(ctx, (unsigned long *)flags);
}

SEC("kprobe/psi_memstall_enter")
int section_begin_kprobe(void *ctx)
{
	return section_begins();
}

SEC("kprobe/psi_memstall_leave")
int BPF_KPROBE(section_end_kprobe, unsigned long *flags)
{
	return section_ends(ctx, flags);
}

static __always_inline int oom_begins(void)
{
	struct beginning b = { .cause = MEMSTALL_OOM, .kind = MEMSTALL_BY_OOM, .order = -1 };

	begin_stall(&b);
	return 0;
}

TWICE("fentry/out_of_memory", oom_begin, fentry)
{
	return oom_begins();
}

TWICE("fexit/out_of_memory", oom_end, fexit)
{
	end_stall(MEMSTALL_BY_OOM, 0);
	return 0;
}

SEC("kprobe/out_of_memory")
int oom_begin_kprobe(void *ctx)
{
	return oom_begins();
}

SEC("kretprobe/out_of_memory")
int oom_end_kretprobe(void *ctx)
{
	end_stall(MEMSTALL_BY_OOM, 0);
	return 0;
}

#endif
