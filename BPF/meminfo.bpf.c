/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * meminfo: what holds memory, by iterators that run when a ledger is made; nothing is traced.
 *
 *   tasks              -> what each has (lib/write_process.h); their namespaces
 *   each open file     -> a tmpfs's (shared.h), a pipe (pipe.h), a socket (socket.h), a ring (rings.h)
 *   each mapping       -> a tmpfs's file (shared.h)
 *   each BPF map       -> a ring (rings.h)
 */
#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "lib/write_process.h"
#include "meminfo/pipe.h"
#include "meminfo/rings.h"
#include "meminfo/shared.h"
#include "meminfo/socket.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("iter/task")
int process_memory_iter(struct bpf_iter__task *ctx)
{
	return write_process_memory(ctx);
}

/* The namespaces of the previous task: only a change is written. An iterator runs on one CPU at a time; user space drops repetitions. */
static u32 last_mount, last_ipc;

SEC("iter/task")
int namespaces_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (!task)
		return 0;
	if (!ctx->meta->seq_num)
		last_mount = last_ipc = 0;
	if (!task->mm || task->pid != task->tgid)
		return 0;
	struct nsproxy *proxy = BPF_CORE_READ(task, nsproxy);

	if (!proxy)
		return 0;
	struct meminfo_namespaces n = {
		.pid = task->tgid,
		.mount = BPF_CORE_READ(proxy, mnt_ns, ns.inum),
		.ipc = BPF_CORE_READ(proxy, ipc_ns, ns.inum),
	};

	if (n.mount == last_mount && n.ipc == last_ipc)
		return 0;
	last_mount = n.mount;
	last_ipc = n.ipc;
	bpf_seq_write(ctx->meta->seq, &n, sizeof(n));
	return 0;
}

static __always_inline int see_file(struct bpf_iter__task_file *ctx, bool loops)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (!task || !file)
		return 0;
	struct inode *inode = file->f_inode;
	void *data = file->private_data;
	u32 kind = inode->i_mode & S_IFMT, pid = task->tgid;

	if (kind == S_IFIFO) {
		if (data)
			write_holding(seq, MEMINFO_PIPE, pid, (u64)data, pipe_bytes(data, loops));
	} else if (kind == S_IFSOCK) {
		struct sock *sk = BPF_CORE_READ((struct socket *)data, sk);

		if (!sk)
			return 0;
		write_holding(seq, MEMINFO_SOCKET, pid, (u64)sk, socket_bytes(sk, loops));
		write_holding(seq, MEMINFO_PACKET_RING, pid, (u64)sk, packet_bytes(sk, (u64)task->stack, loops));
	} else if (is_shared(inode)) {
		struct meminfo_holding h = { .pid = pid, .fd = ctx->fd };

		write_shared(seq, &h, file, inode);
	} else if (inode->i_sb->s_magic == ANON_INODE_FS_MAGIC && is_perf_event(file)) {
		struct perf_buffer *ring = BPF_CORE_READ((struct perf_event *)data, rb);

		write_holding(seq, MEMINFO_PERF_RING, pid, (u64)ring, perf_ring_pages(ring) << PAGE_SHIFT);
	}
	return 0;
}

SEC("iter/task_file")
int open_file_iter(struct bpf_iter__task_file *ctx)
{
	return see_file(ctx, true);
}

/* Before 5.17, e6f2dd0f8067 ("bpf: Add bpf_loop helper"). */
SEC("iter/task_file")
int open_file_unrolled_iter(struct bpf_iter__task_file *ctx)
{
	return see_file(ctx, false);
}

SEC("iter/task_vma")
int shared_mapping_iter(struct bpf_iter__task_vma *ctx)
{
	struct task_struct *task = ctx->task;
	struct vm_area_struct *vma = ctx->vma;

	if (!task || !vma)
		return 0;
	struct file *file = vma->vm_file;

	if (!file)
		return 0;
	struct inode *inode = file->f_inode;

	if (!is_shared(inode))
		return 0;
	struct meminfo_holding h = { .pid = task->tgid, .start = vma->vm_start, .end = vma->vm_end, .fd = -1 };

	write_shared(ctx->meta->seq, &h, file, inode);
	return 0;
}

SEC("iter/bpf_map")
int bpf_ring_iter(struct bpf_iter__bpf_map *ctx)
{
	struct bpf_map *map = ctx->map;

	if (map)
		write_holding(ctx->meta->seq, MEMINFO_BPF_RING, 0, (u64)map, bpf_ring_pages(map) << PAGE_SHIFT);
	return 0;
}
