/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How long a cgroup was not idle on each CPU, which PSI weighs its stalls there by: PSI's own sum, that no file shows
 * (psi_group_cpu.times, kernel/sched/psi.c).
 */
#ifndef SWIFTMEM_MEMSTALL_WEIGHTS_H
#define SWIFTMEM_MEMSTALL_WEIGHTS_H

#include "vmlinux/cgroup.h"
#include "vmlinux/compat.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/unpreempted.h"
#include "memstall/cpu.h"
#include "memstall/state.h"

/* Tells where this CPU's copies of per-CPU variables lie, as lib/percpu.h does for those of all, but before 5.19 too. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} here SEC(".maps");

static __always_inline u64 number_of(const void *pointer)
{
	const void *slot = pointer;
	u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &slot);
	return number;
}

/* This CPU's copy of a per-CPU variable; NULL where that can't be told. */
static __always_inline void *on_this_cpu(void *variable)
{
	u32 zero = 0;
	u64 map = number_of(&here), first = 0;
	void *copy = bpf_map_lookup_elem(&here, &zero);

	bpf_probe_read_kernel(&first, sizeof(first), (void *)map + bpf_core_field_offset(struct bpf_array, pptrs));
	if (!copy || !first || !variable)
		return NULL;
	return variable + (number_of(copy) - first);
}

static __always_inline struct psi_group *psi_of(struct cgroup *cgroup)
{
	struct cgroup___psi_inside *inside = (void *)cgroup;

	if (bpf_core_field_exists(cgroup->psi))
		return BPF_CORE_READ(cgroup, psi);
	return (void *)inside + bpf_core_field_offset(struct cgroup___psi_inside, psi);
}

/* Where the sums of the last average lie, those of PSI_AVGS first. */
static __always_inline u64 averaged_at(void)
{
	struct psi_group_cpu *flat = NULL;

	if (bpf_core_field_exists(flat->times_prev))
		return bpf_core_field_offset(struct psi_group_cpu, times_prev);
	return bpf_core_field_offset(struct psi_group_cpu___rows, times_prev);
}

/* Reads PSI's sum of a cgroup on this CPU. */
static __always_inline int weigh(u64 id)
{
	struct memstall_cgroup *known = bpf_map_lookup_elem(&cgroups, &id);
	struct cgroup *cgroup = known ? (void *)known->address : NULL;
	int state = bpf_core_enum_value(enum psi_states, PSI_NONIDLE);
	u32 now = 0, averaged = 0;

	/* memory that is another's meanwhile has another id, or none */
	if (!cgroup || BPF_CORE_READ(cgroup, kn, id) != id)
		return 0;
	struct psi_group *group = psi_of(cgroup);
	struct psi_group_cpu *pcpu = on_this_cpu(group ? BPF_CORE_READ(group, pcpu) : NULL);

	if (!pcpu)
		return 0;
	bpf_probe_read_kernel(&now, sizeof(now),
			      (void *)pcpu + bpf_core_field_offset(struct psi_group_cpu, times) + 4 * state);
	bpf_probe_read_kernel(&averaged, sizeof(averaged), (void *)pcpu + averaged_at() + 4 * state);
	struct memstall_cpu *c = group_cpu(id, bpf_get_smp_processor_id());

	if (!c)
		return 0;
	if (!c->nonidle_known) { /* from where PSI averaged last, at most two seconds ago where tasks run */
		c->nonidle_known = 1;
		c->nonidle_seen = averaged;
	}
	c->nonidle_ns += (u32)(now - c->nonidle_seen);
	c->nonidle_seen = now;
	return 0;
}

/*
 * User space runs it on each CPU (BPF_PROG_TEST_RUN), with a cgroup's id. As a tracepoint's it stands where it
 * does nothing: a node's number is no cgroup's id that is known.
 */
SEC("raw_tp/mm_vmscan_kswapd_sleep")
int UNPREEMPTED(weigh_rawtp, u64 id)
{
	return weigh(id);
}

#endif
