/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Programs that do nothing, on the hooks the tools sit at: what the hook alone costs. */
#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define EMPTY(name, section) \
	SEC(section) \
	int name(void *context) \
	{ \
		return 0; \
	}

EMPTY(sys_enter, "tp_btf/sys_enter")
EMPTY(sys_exit, "tp_btf/sys_exit")
EMPTY(sys_enter_record, "tracepoint/raw_syscalls/sys_enter")
EMPTY(sys_exit_record, "tracepoint/raw_syscalls/sys_exit")

EMPTY(sched_switch, "tp_btf/sched_switch")

EMPTY(count_memcg_events, "tp_btf/count_memcg_events")
EMPTY(rss_stat, "tp_btf/rss_stat")
EMPTY(page_fault_user, "tp_btf/page_fault_user")
EMPTY(page_fault_kernel, "tp_btf/page_fault_kernel")
EMPTY(swap_read_folio_entry, "fentry/swap_read_folio")
EMPTY(swap_read_folio_exit, "fexit/swap_read_folio")
EMPTY(swap_readpage_entry, "fentry/swap_readpage")
EMPTY(swap_readpage_exit, "fexit/swap_readpage")
EMPTY(do_swap_page_entry, "fentry/do_swap_page")
EMPTY(do_swap_page_exit, "fexit/do_swap_page")

EMPTY(mm_filemap_get_pages, "tp_btf/mm_filemap_get_pages")
EMPTY(filemap_read_exit, "fexit/filemap_read")
EMPTY(buffered_read_exit, "fexit/generic_file_buffered_read")
