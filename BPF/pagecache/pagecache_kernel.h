/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the page cache's functions are called with. */
#ifndef SWIFTMEM_PAGECACHE_KERNEL_H
#define SWIFTMEM_PAGECACHE_KERNEL_H

#include "lib/kernel.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct file {
	struct address_space *f_mapping;
};

struct kiocb {
	struct file *ki_filp;
	s64 ki_pos;
};

struct iov_iter {
	unsigned long count;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_pgoff;
	struct file *vm_file;
};

struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long pgoff;
	void *pte;
};

#pragma clang attribute pop

/* include/linux/gfp_types.h: the same bit from 5.10 to 7.2, in an enum without a name */
#define ___GFP_WRITE 0x1000u

/* include/uapi/linux/magic.h */
#define TMPFS_MAGIC 0x01021994
#define HUGETLBFS_MAGIC 0x958458f6

#define S_IFBLK 0060000

#endif
