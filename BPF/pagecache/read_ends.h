/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads that reads.h has no event for. The only batch of such a read ends in a folio behind the file's end that is never
 * filled. squashfs leaves such folios (squashfs_readahead(), to the end of a block), so that of its files the ends are
 * not seen, of small ones nothing. There the call's return tells.
 */
#ifndef SWIFTMEM_PAGECACHE_READ_ENDS_H
#define SWIFTMEM_PAGECACHE_READ_ENDS_H

#include "lib/unpreempted.h"
#include "pagecache/accounting.h"
#include "pagecache/transfer.h"

/* fs/overlayfs/ovl_entry.h, since 6.5: what stands behind the inode in struct ovl_inode, which is a module's type. */
struct below_overlay {
	struct dentry *upper;
	void *stack; /* how many, then a layer and a dentry of each */
};

#define FIRST_OF_STACK 16

/*
 * The mapping of a file of overlayfs below it, on squashfs; NULL where it is elsewhere. As no type information tells the
 * layout, what is found there counts only if it is a file of squashfs that is as long.
 */
static __always_inline struct address_space *squashfs_below(struct inode *inode)
{
	struct below_overlay below = {};
	struct dentry *dentry = NULL;

	bpf_probe_read_kernel(&below, sizeof(below), (void *)inode + bpf_core_type_size(struct inode));
	if (below.upper || !below.stack)
		return NULL;
	bpf_probe_read_kernel(&dentry, sizeof(dentry), below.stack + FIRST_OF_STACK);
	struct inode *lower = dentry ? BPF_CORE_READ(dentry, d_inode) : NULL;

	if (!lower || BPF_CORE_READ(lower, i_sb, s_magic) != SQUASHFS_MAGIC ||
	    BPF_CORE_READ(lower, i_size) != BPF_CORE_READ(inode, i_size))
		return NULL;
	return BPF_CORE_READ(lower, i_mapping);
}

/* A returned read's mapping on squashfs, and its start; NULL for all other calls. */
static __always_inline struct address_space *squashfs_read(struct pt_regs *regs, s64 result, s64 *start)
{
	struct transfer_call call = {};
	u32 flags = 0;

	if (result <= 0 || !transfer_of(regs, result, &call) || call.kind > LAST_READ || !filtered_in())
		return NULL;
	struct address_space *mapping = transfer_mapping(&call, &flags);
	struct inode *inode = mapping ? BPF_CORE_READ(mapping, host) : NULL;

	if (!inode)
		return NULL;
	*start = call.start;
	switch (BPF_CORE_READ(inode, i_sb, s_magic)) {
	case SQUASHFS_MAGIC: return mapping;
	case OVERLAYFS_SUPER_MAGIC: return squashfs_below(inode);
	}
	return NULL;
}

SEC("tp_btf/sys_exit")
int UNPREEMPTED(read_end_btf, struct pt_regs *regs, long result)
{
	s64 start = 0;
	struct address_space *mapping = squashfs_read(regs, result, &start);
	struct request *r = mapping ? current_request() : NULL;
	struct pagecache_counters *c = r ? counters_of(mapping) : NULL;

	if (!c)
		return 0;
	u64 first = start >> PAGE_SHIFT, last = (start + result - 1) >> PAGE_SHIFT;

	/* what its batches told is counted */
	if (r->mapping == address_of(mapping) && r->start == start && r->next > first)
		first = r->next;
	r->mapping = 0;
	if (first > last)
		return 0;
	claim_runs(c, r, mapping, first, last);
	COUNT(c->read_access_pages, last - first + 1);
	return 0;
}

#ifndef PAGECACHE_BY_FILE
SEC("tp_btf/sys_exit")
int UNPREEMPTED(ahead_read_end_btf, struct pt_regs *regs, long result)
{
	s64 start = 0;
	struct address_space *mapping = squashfs_read(regs, result, &start);

	if (mapping)
		pages_used(mapping, start >> PAGE_SHIFT, (start + result - 1) >> PAGE_SHIFT);
	return 0;
}
#endif

#endif
