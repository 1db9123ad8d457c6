/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The file behind a descriptor of the current task. */
#ifndef SWIFTMEM_OPEN_FILE_H
#define SWIFTMEM_OPEN_FILE_H

#include "vmlinux/fs.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/call_registers.h"

/* NULL where the descriptor is none. */
static __always_inline struct file *open_file(u32 fd)
{
	struct file **files = NULL, *file = NULL;
	u32 count = 0;

	if (HAS_CURRENT_TASK_BTF) {
		struct fdtable *table = bpf_get_current_task_btf()->files->fdt;

		files = table->fd;
		count = table->max_fds;
	} else {
		struct task_struct *task = (void *)bpf_get_current_task();
		struct fdtable *table = BPF_CORE_READ(task, files, fdt);

		files = BPF_CORE_READ(table, fd);
		count = BPF_CORE_READ(table, max_fds);
	}
	if (fd >= count)
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}

#endif
