/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Waits by the function that serves the fault, do_swap_page(vmf) (mm/memory.c), once a round. */
#ifndef SWIFTMEM_SWAPIN_SWAP_FAULTS_H
#define SWIFTMEM_SWAPIN_SWAP_FAULTS_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/unpreempted.h"
#include "swapin/progress.h"
#include "swapin/waits.h"

/* A migrating page's entry looks like swap's, with a type of its own above all devices'. */
static __always_inline bool is_swap(struct vm_fault *vmf)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(vmf, orig_pte.pte) >> 59 < 20;
#else
	return true;
#endif
}

static __always_inline int fault_begins(struct vm_fault *vmf)
{
	if (!is_swap(vmf))
		return 0;
	struct progress *p = current_progress(true);

	if (p)
		p->fault_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int fault_ends(u32 result)
{
	struct progress *p = current_progress(false);

	if (!p || !p->fault_ns)
		return 0;
	u64 spent = p->earlier_ns + (bpf_ktime_get_ns() - p->fault_ns);

	p->fault_ns = 0;
	if (!config.asked_by_event && (result & VM_FAULT_MAJOR)) {
		struct swapin_counters *c = current_process();

		if (c)
			c->asked_faults += 1;
	}
	/* the page's lock was waited for; the fault comes again for the same page */
	p->earlier_ns = result & VM_FAULT_RETRY ? spent : 0;
	if (result & VM_FAULT_RETRY)
		return 0;
	count_wait(spent);
	if (!p->reads)
		forget_progress();
	return 0;
}

SEC("fentry/do_swap_page")
int UNPREEMPTED(swap_fault_fentry, struct vm_fault *vmf)
{
	return fault_begins(vmf);
}

SEC("fexit/do_swap_page")
int UNPREEMPTED(swap_fault_fexit, struct vm_fault *vmf, unsigned int result)
{
	return fault_ends(result);
}

SEC("kprobe/do_swap_page")
int BPF_KPROBE(swap_fault_kprobe, struct vm_fault *vmf)
{
	return fault_begins(vmf);
}

SEC("kretprobe/do_swap_page")
int BPF_KRETPROBE(swap_fault_kretprobe, long result)
{
	return fault_ends(result);
}

#endif
