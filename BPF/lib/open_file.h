/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The file behind a descriptor of the current task. */
#ifndef SWIFTMEM_OPEN_FILE_H
#define SWIFTMEM_OPEN_FILE_H

#include "vmlinux/fs.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* NULL where the descriptor is none. */
static __always_inline struct file *open_file(u32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = NULL;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}

#endif
