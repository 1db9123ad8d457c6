/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * shmsnoop: shared-memory system calls, by 64-bit and 32-bit callers, as they
 * return. The arguments are still in the caller's registers then, so that nothing
 * is kept between a call's begin and its end but the time, where that is wanted.
 *
 * The syscalls:* tracepoints do not fire for 32-bit callers; raw_syscalls:* do.
 */
#include "lib/kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/filter.h"
#include "lib/loss.h"
#include "lib/shm_calls.h"
#include "shmsnoop.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct shmsnoop_config config SEC(".rodata.config") = {};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct qstr {
	const unsigned char *name;
};
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};
struct vfsmount {
	struct dentry *mnt_root;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct file {
	struct path f_path;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct task_struct___files {
	struct files_struct *files;
};
struct task_struct___start {
	u64 start_boottime;
};
#pragma clang attribute pop

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 32 << 20);
} events SEC(".maps");

/* A call that a thread is in. A thread is in one at most; one that never returns is displaced in time. */
struct begun {
	u64 time_ns;
	u64 words[6]; /* where the return does not see them */
	s64 id;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct begun);
} calls SEC(".maps");

/* Shared mappings made under the trace: a munmap() of theirs is told by its address. */
struct mapping {
	u64 process_start;
	u64 address;
	u32 pid;
	u32 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct mapping);
	__type(value, u64);
} mappings SEC(".maps");

#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define MAP_TYPE 0xf
#define MAP_SHARED 1
#define MAP_SHARED_VALIDATE 3
#define MAP_ANONYMOUS 0x20
#define SHM_DIRECTORY "/dev/shm/"
#define SHM_DIRECTORY_LENGTH 9

static __always_inline void fill(struct shm_event *e, u32 kind, bool compat, const u64 arguments[6], s64 result,
				 u64 begun_ns)
{
	u64 id = bpf_get_current_pid_tgid();

	e->time_ns = bpf_ktime_get_ns();
	e->duration_ns = begun_ns ? e->time_ns - begun_ns : SHM_NO_DURATION;
	e->result = result;
	__builtin_memcpy(e->arguments, arguments, sizeof(e->arguments));
	e->pid = id >> 32;
	e->tid = id;
	e->call = kind;
	e->flags = compat ? SHM_CALL_COMPAT : 0;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
}

static __always_inline void report(u32 kind, bool compat, const u64 arguments[6], s64 result, u64 begun_ns)
{
	struct shm_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		lost(LOSS_RING_FULL);
		return;
	}
	fill(e, kind, compat, arguments, result, begun_ns);
	bpf_ringbuf_submit(e, 0);
}

/* ... with a name from user space, or else from the kernel. */
static __always_inline void report_named(u32 kind, bool compat, const u64 arguments[6], s64 result, u64 begun_ns,
					 const void *user, const void *kernel)
{
	struct shm_named_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	long length;

	if (!e) {
		lost(LOSS_RING_FULL);
		return;
	}
	fill(&e->event, kind, compat, arguments, result, begun_ns);
	e->event.flags |= SHM_CALL_NAMED;
	length = user ? bpf_probe_read_user_str(e->name, sizeof(e->name), user)
		      : bpf_probe_read_kernel_str(e->name, sizeof(e->name), kernel);
	if (length < 0) {
		e->name[0] = 0;
		/* a name that the call itself could not read is no loss */
		if (result != -14)
			lost(LOSS_UNREADABLE);
	}
	bpf_ringbuf_submit(e, 0);
}

/* ---- other than System V's ---- */

static __always_inline bool begins_with(const unsigned char *name, const char *word, u32 length)
{
	char start[8] = {};

	bpf_probe_read_kernel_str(start, sizeof(start), name);
	for (u32 i = 0; i < length; i++)
		if (start[i] != word[i])
			return false;
	return true;
}

/* dev/shm, or shm in the root of a file system that is mounted on dev. */
static __always_inline bool is_dev_shm(struct dentry *dentry)
{
	if (!begins_with(BPF_CORE_READ(dentry, d_name.name), "shm", 4))
		return false;
	const unsigned char *above = BPF_CORE_READ(dentry, d_parent, d_name.name);

	return begins_with(above, "dev", 4) || begins_with(above, "/", 2);
}

/* The name of a descriptor's file, if that is a memfd or lies in a /dev/shm; else NULL. */
static __always_inline const void *shared_file(u32 fd)
{
	struct task_struct___files *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = NULL;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	if (!file)
		return NULL;
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);

	if (begins_with(name, "memfd:", 6))
		return name;
	if (is_dev_shm(BPF_CORE_READ(dentry, d_parent)))
		return name;
	/* every container has a /dev/shm of its own: known by where it is mounted, be it on another */
	struct vfsmount *mnt = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);

	for (int i = 0; i < 4; i++) {
		struct dentry *place = BPF_CORE_READ(mount, mnt_mountpoint);

		if (is_dev_shm(place))
			return name;
		if (!begins_with(BPF_CORE_READ(place, d_name.name), "/", 2))
			return NULL;
		mount = BPF_CORE_READ(mount, mnt_parent);
	}
	return NULL;
}

/* What follows /dev/shm/ in a path of the caller's; NULL for other paths. */
static __always_inline const void *shm_name(u64 path)
{
	char start[SHM_DIRECTORY_LENGTH] = {};

	if (bpf_probe_read_user(start, sizeof(start), (void *)path))
		return NULL;
	for (int i = 0; i < SHM_DIRECTORY_LENGTH; i++)
		if (start[i] != SHM_DIRECTORY[i])
			return NULL;
	return (void *)path + SHM_DIRECTORY_LENGTH;
}

static __always_inline struct mapping mapping_at(u64 address)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct___start *leader = (void *)BPF_CORE_READ(task, group_leader);
	struct mapping m = { .process_start = BPF_CORE_READ(leader, start_boottime), .address = address };

	m.pid = bpf_get_current_pid_tgid() >> 32;
	return m;
}

static __always_inline void mapped(const u64 words[6], bool compat, u32 variant, s64 result, u64 begun_ns)
{
	u32 flags = words[3], type = flags & MAP_TYPE;
	u64 arguments[6] = { words[0], words[1], words[2], words[3], words[4], words[5] };

	if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
		return;
	if (variant == PAGES)
		arguments[5] <<= 12;
	const void *name = NULL;

	if (!(flags & MAP_ANONYMOUS)) {
		name = shared_file(words[4]);
		if (!name)
			return;
	}
	if (result >= 0 || result < -4095) {
		struct mapping m = mapping_at(result);
		u64 length = words[1];

		bpf_map_update_elem(&mappings, &m, &length, BPF_ANY);
	}
	if (name)
		report_named(SHM_CALL_MMAP, compat, arguments, result, begun_ns, NULL, name);
	else
		report(SHM_CALL_MMAP, compat, arguments, result, begun_ns);
}

static __always_inline void unmapped(const u64 words[6], bool compat, s64 result, u64 begun_ns)
{
	struct mapping m = mapping_at(words[0]);
	u64 *known = bpf_map_lookup_elem(&mappings, &m);

	if (!known)
		return;
	u64 rest = *known, length = (words[1] + 4095) & ~4095ULL;

	if (result == 0) {
		bpf_map_delete_elem(&mappings, &m);
		if (length < rest) {
			rest -= length;
			m.address += length;
			bpf_map_update_elem(&mappings, &m, &rest, BPF_ANY);
		}
	}
	report(SHM_CALL_MUNMAP, compat, words, result, begun_ns);
}

static __always_inline void other_call(u32 kind, u32 variant, bool compat, const u64 words[6], s64 result, u64 begun_ns)
{
	u32 first = variant == AT ? 1 : 0;
	u64 arguments[6] = {};
	const void *name;

	switch (kind) {
	case SHM_CALL_OPEN:
	case SHM_CALL_UNLINK:
		name = shm_name(first ? words[1] : words[0]);
		if (!name)
			return;
		if (kind == SHM_CALL_OPEN) {
			arguments[0] = first ? words[2] : words[1];
			arguments[1] = first ? words[3] : words[2];
		}
		report_named(kind, compat, arguments, result, begun_ns, name, NULL);
		return;
	case SHM_CALL_MEMFD:
		arguments[0] = words[1];
		report_named(kind, compat, arguments, result, begun_ns, (void *)words[0], NULL);
		return;
	case SHM_CALL_SECRET: report(kind, compat, words, result, begun_ns); return;
	case SHM_CALL_TRUNCATE:
		arguments[0] = words[0];
		arguments[1] = variant == HALVES	? words[1] | words[2] << 32
			       : variant == HALVES_EVEN ? words[2] | words[3] << 32
							: words[1];
		name = shared_file(words[0]);
		if (name)
			report_named(kind, compat, arguments, result, begun_ns, NULL, name);
		return;
	case SHM_CALL_FCNTL:
		if ((u32)words[1] != F_ADD_SEALS && (u32)words[1] != F_GET_SEALS)
			return;
		name = shared_file(words[0]);
		if (name)
			report_named(kind, compat, words, result, begun_ns, NULL, name);
		return;
	case SHM_CALL_MMAP: mapped(words, compat, variant, result, begun_ns); return;
	case SHM_CALL_MUNMAP: unmapped(words, compat, result, begun_ns); return;
	}
}

/* ---- rung 1: every caller's calls ---- */

/* The kind of a call and its arguments in their order: of ipc() they are its own. */
static __always_inline u32 system_v(u32 call, const u64 words[6], u64 arguments[6], s64 *result)
{
	if (CALL_VARIANT(call) != IPC) {
		arguments[0] = words[0];
		arguments[1] = words[1];
		arguments[2] = words[2];
		return CALL_KIND(call);
	}
	switch (words[0] & 0xffff) {
	case IPCCALL_SHMGET:
		arguments[0] = words[1];
		arguments[1] = words[2];
		arguments[2] = words[3];
		return SHM_CALL_GET;
	case IPCCALL_SHMAT: {
		u32 address = 0;

		arguments[0] = words[1];
		arguments[1] = words[4];
		arguments[2] = words[2];
		/* the address comes back in memory, and 0 as the result */
		if (*result == 0) {
			if (bpf_probe_read_user(&address, sizeof(address), (void *)words[3]))
				lost(LOSS_UNREADABLE);
			*result = address;
		}
		return SHM_CALL_AT;
	}
	case IPCCALL_SHMDT: arguments[0] = words[4]; return SHM_CALL_DT;
	case IPCCALL_SHMCTL:
		arguments[0] = words[1];
		arguments[1] = words[2];
		arguments[2] = words[4];
		return SHM_CALL_CTL;
	}
	return SHM_CALL_NONE; /* semaphores, messages */
}

/* The call of a number, by the entry it came through; 0: none of ours. */
static __always_inline u32 our_call(long id, bool *compat)
{
	u32 native = native_call(id, config.all), other = compat_call(id, config.all);

	if (!native && !other)
		return 0;
	*compat = is_compat();
	return *compat ? other : native;
}

static __always_inline int begins(long id)
{
	bool compat;

	if (!our_call(id, &compat) || !filtered_in())
		return 0;
	u32 tid = bpf_get_current_pid_tgid();
	struct begun b = { .time_ns = bpf_ktime_get_ns(), .id = id };

	if (bpf_map_update_elem(&calls, &tid, &b, BPF_ANY))
		lost(LOSS_TASK_STATE);
	return 0;
}

/* When this thread's call began: 0 where that was not seen. */
static __always_inline u64 begun_at(long id)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct begun *b = bpf_map_lookup_elem(&calls, &tid);

	if (!b)
		return 0;
	u64 time = b->id == id ? b->time_ns : 0;

	bpf_map_delete_elem(&calls, &tid);
	return time;
}

static __always_inline int returned(struct pt_regs *regs, long id, s64 result)
{
	bool compat;
	u32 call = our_call(id, &compat);

	if (!call || !filtered_in())
		return 0;
	u64 words[6] = {}, arguments[6] = {};
	u64 begun_ns = config.latency ? begun_at(id) : 0;

	call_words(regs, compat, words);
	if (CALL_KIND(call) > SHM_CALL_CTL) {
		other_call(CALL_KIND(call), CALL_VARIANT(call), compat, words, result, begun_ns);
		return 0;
	}
	u32 kind = system_v(call, words, arguments, &result);

	if (kind)
		report(kind, compat, arguments, result, begun_ns);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(call_enter_btf, struct pt_regs *regs, long id)
{
	return begins(id);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(call_exit_btf, struct pt_regs *regs, long result)
{
	return returned(regs, call_number(regs), result);
}

/*
 * The same by the tracepoints' records. Since 7.0 a task may be preempted in a
 * tp_btf program, and what other tasks do on that CPU meanwhile is skipped; in a
 * program on the record it may not. Needs bpf_task_pt_regs(), 5.15.
 */
struct enter_record {
	u64 common;
	s64 id;
	u64 arguments[6];
};
struct exit_record {
	u64 common;
	s64 id;
	s64 result;
};

SEC("tracepoint/raw_syscalls/sys_enter")
int call_enter_tp(struct enter_record *record)
{
	return begins(record->id);
}

SEC("tracepoint/raw_syscalls/sys_exit")
int call_exit_tp(struct exit_record *record)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	return returned(regs, record->id, record->result);
}

/* ---- rung 2: System V's calls by 64-bit callers ---- */

/*
 * A record ends with its call's last argument: reading beyond is refused at the attach. Unlike that of
 * raw_syscalls it has the number as an int, and the kernel leaves what follows that as it was.
 */
static __always_inline int recorded_begin(struct enter_record *record, int arguments)
{
	if (!filtered_in())
		return 0;
	u32 tid = bpf_get_current_pid_tgid();
	struct begun b = { .time_ns = bpf_ktime_get_ns(), .id = (s32)record->id };

	b.words[0] = record->arguments[0];
	if (arguments == 3) {
		b.words[1] = record->arguments[1];
		b.words[2] = record->arguments[2];
	}
	if (bpf_map_update_elem(&calls, &tid, &b, BPF_ANY))
		lost(LOSS_TASK_STATE);
	return 0;
}

static __always_inline int recorded_return(struct exit_record *record, u32 kind)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct begun *b = bpf_map_lookup_elem(&calls, &tid);

	if (!filtered_in())
		return 0;
	if (!b || b->id != (s32)record->id) {
		lost(LOSS_TASK_STATE); /* its arguments are unknown */
		return 0;
	}
	u64 arguments[6] = { b->words[0], b->words[1], b->words[2] };
	u64 begun_ns = b->time_ns;

	bpf_map_delete_elem(&calls, &tid);
	report(kind, false, arguments, record->result, begun_ns);
	return 0;
}

#define RECORDED(call, kind, arguments) \
	SEC("tracepoint/syscalls/sys_enter_" #call) \
	int call##_enter_tp(struct enter_record *record) \
	{ \
		return recorded_begin(record, arguments); \
	} \
	SEC("tracepoint/syscalls/sys_exit_" #call) \
	int call##_exit_tp(struct exit_record *record) \
	{ \
		return recorded_return(record, kind); \
	}

RECORDED(shmget, SHM_CALL_GET, 3)
RECORDED(shmat, SHM_CALL_AT, 3)
RECORDED(shmdt, SHM_CALL_DT, 1)
RECORDED(shmctl, SHM_CALL_CTL, 3)
