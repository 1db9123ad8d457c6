/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * oomkill: one record per killed process, one when its memory is back.
 *
 * mm/oom_kill.c, all in the task that ran out of memory (the trigger):
 *   oom_kill_process(oc, message)           once per OOM          -> context
 *     __oom_kill_process(victim)            once per process
 *       do_send_sig_info(SIGKILL, victim)   signal_generate       -> killed
 *       mark_oom_victim(victim)             oom:mark_victim       -> the record
 *       SIGKILL to all that share its mm    signal_generate       -> the record
 * and later finish_task_reaping(pid) in the reaper, or the victim's own exit.
 */
#include "lib/kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/cgroup.h"
#include "lib/cmdline.h"
#include "lib/loss.h"
#include "lib/rss.h"
#include "oomkill.h"

#define THREAD_SIZE 16384 /* x86-64 and arm64 without KASAN */
#define STACK_WORDS (THREAD_SIZE / 8)
#define SIGKILL 9
#define SEND_SIG_PRIV ((void *)1) /* the kernel itself sends it */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct oomkill_config config SEC(".rodata.config") = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/*
 * What an oom_control says. Not a copy of the kernel's struct: accesses to that
 * one are relocated to the kernel's layout, wherever it lies.
 */
struct oom_context {
	struct mem_cgroup *memcg; /* NULL: the whole machine is out of memory */
	struct task_struct *chosen;
	u64 totalpages;
	u32 gfp_mask;
	s32 order;
	u32 constraint;
	u32 padding;
};

/* The OOM that a task is in, by its tid. */
struct oom {
	u64 kill_id;
	struct oom_context oc;
	struct oom_control *oc_address; /* NULL: oc holds nothing */
	struct mm_struct *victim_mm;
	u32 signalled_pid;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct oom);
} ooms SEC(".maps");

/* Victims whose memory is not back yet, by process. */
struct dying {
	u64 kill_id;
	u64 killed_ns;
	u64 pages;
	struct mm_struct *mm;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct dying);
} victims SEC(".maps");

#define STACK_MATCHES 32

/* A copy of the current stack, and which of its words are the victim's address. */
struct stack_copy {
	u64 words[STACK_WORDS];
	u32 matches[STACK_MATCHES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct stack_copy);
} stack_copies SEC(".maps");

static __always_inline struct oom *current_oom(void)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct oom *oom = bpf_map_lookup_elem(&ooms, &tid);

	if (oom)
		return oom;
	struct oom fresh = {};

	if (bpf_map_update_elem(&ooms, &tid, &fresh, BPF_ANY))
		lost(LOSS_MAP_FULL);
	return bpf_map_lookup_elem(&ooms, &tid);
}

static __always_inline u64 new_kill_id(void)
{
	return bpf_ktime_get_ns();
}

/* A member of an oom_control's bytes, where the running kernel has it. */
#define MEMBER(type, bytes, name) (*(type *)((bytes) + bpf_core_field_offset(struct oom_control, name)))

static __always_inline bool read_context(struct oom_context *to, struct oom_control *oc)
{
	/* one read, for one branch: this is done for each candidate on the stack */
	u64 words[8];
	void *bytes = words;

	if (bpf_probe_read_kernel(words, sizeof(words), oc))
		return false;
	to->memcg = MEMBER(struct mem_cgroup *, bytes, memcg);
	to->chosen = MEMBER(struct task_struct *, bytes, chosen);
	to->totalpages = MEMBER(u64, bytes, totalpages);
	to->gfp_mask = MEMBER(u32, bytes, gfp_mask);
	to->order = MEMBER(s32, bytes, order);
	to->constraint = MEMBER(u32, bytes, constraint);
	to->padding = 0;
	return true;
}

static __always_inline int begin_oom(struct oom_control *oc)
{
	struct oom *oom = current_oom();

	if (!oom)
		return 0;
	oom->kill_id = new_kill_id();
	oom->oc_address = read_context(&oom->oc, oc) ? oc : NULL;
	return 0;
}

SEC("?fentry/oom_kill_process")
int BPF_PROG(oom_begin_fentry, struct oom_control *oc)
{
	return begin_oom(oc);
}

SEC("?kprobe/oom_kill_process")
int BPF_KPROBE(oom_begin_kprobe, struct oom_control *oc)
{
	return begin_oom(oc);
}

/* Could these words be the oom_control that chose this victim? */
static __always_inline bool plausible(const struct oom_context *oc)
{
	/* & and |, not && and ||: fewer branches for the verifier */
	return (oc->constraint <= 3) & (oc->order >= -1) & (oc->order <= 20) & (oc->totalpages - 1 < (1UL << 52)) &
	       ((oc->memcg == NULL) | ((s64)oc->memcg < 0));
}

/* 1 where x is 0: no branch, of which the verifier allows 8192 undecided ones. */
static __always_inline u64 is_zero(u64 x)
{
	u64 sign = -x;

	barrier_var(sign); /* each keeps clang from making a branch of it */
	sign |= x;
	barrier_var(sign);
	sign >>= 63;
	barrier_var(sign);
	return sign ^ 1;
}

/*
 * Where no function hook attaches: mark_victim runs deep below the function
 * whose local variable the oom_control is, in the same task, and one of its
 * words is the victim's address. The outermost match is the live one.
 */
static __noinline int find_on_stack(struct task_struct *victim, struct oom *oom)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 leader = (u64)BPF_CORE_READ(victim, group_leader), self = address_of(victim);
	u64 *base = BPF_CORE_READ(task, stack);
	u32 zero = 0;
	struct stack_copy *copy = bpf_map_lookup_elem(&stack_copies, &zero);

	if (!copy || bpf_probe_read_kernel(copy->words, THREAD_SIZE, base))
		return 0;
	u32 matches = 0;

	for (int i = STACK_WORDS - 1; i >= 0; i--) {
		u64 word = copy->words[i];

		copy->matches[matches & (STACK_MATCHES - 1)] = i;
		matches += is_zero(word ^ leader) | is_zero(word ^ self);
	}
	for (u32 i = 0; i < STACK_MATCHES && i < matches; i++) {
		void *at = base + copy->matches[i];
		struct oom_control *oc = at - bpf_core_field_offset(struct oom_control, chosen);

		if (!read_context(&oom->oc, oc) || !plausible(&oom->oc))
			continue;
		oom->oc_address = oc;
		return 1;
	}
	return 0;
}

/* Is the OOM that this task was in still the same one? (memory.oom.group kills many) */
static __always_inline bool same_oom(const struct oom *oom)
{
	struct oom_context now;

	if (!oom->oc_address || !read_context(&now, oom->oc_address))
		return false;
	return now.chosen == oom->oc.chosen && now.totalpages == oom->oc.totalpages && now.memcg == oom->oc.memcg &&
	       now.gfp_mask == oom->oc.gfp_mask;
}

static __always_inline void copy_cmdline(struct oomkill_event *e)
{
	u32 pid = e->victim_pid;
	struct cmdline *line = bpf_map_lookup_elem(&cmdlines, &pid);

	e->cmdline_len = 0;
	if (!line)
		return;
	e->cmdline_len = line->length;
	bpf_probe_read_kernel(e->cmdline, CMDLINE_BYTES, line->bytes);
}

static __always_inline int report(void *ctx, struct task_struct *victim, u32 known)
{
	struct oom *oom = current_oom();

	if (!oom)
		return 0;
	u32 pid = BPF_CORE_READ(victim, tgid);

	if (config.scan_stack && !(known & OOM_SHARED_MM) && !same_oom(oom)) {
		oom->kill_id = new_kill_id();
		oom->oc_address = NULL;
		find_on_stack(victim, oom);
	}
	if (config.see_signals) {
		known |= OOM_HAS_SIGNALS;
		if (oom->signalled_pid == pid)
			known |= OOM_SIGNALLED;
		oom->signalled_pid = 0;
	}
	if (!oom->kill_id)
		oom->kill_id = new_kill_id();

	/* memory.oom.group enters mark_oom_victim() for the chosen one again; the tracepoint is spared that */
	struct dying *known_dying = bpf_map_lookup_elem(&victims, &pid);

	if (known_dying && known_dying->kill_id == oom->kill_id)
		return 0;

	struct oomkill_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		lost(LOSS_RING_FULL);
		return 0;
	}
	e->kind = OOMKILL_VICTIM;
	e->time_ns = bpf_ktime_get_ns();
	e->kill_id = oom->kill_id;
	u64 id = bpf_get_current_pid_tgid();

	e->trigger_pid = id >> 32;
	e->trigger_tid = id;
	bpf_get_current_comm(e->trigger_comm, sizeof(e->trigger_comm));
	e->victim_pid = pid;
	e->victim_tid = BPF_CORE_READ(victim, pid);
	e->victim_uid = BPF_CORE_READ(victim, real_cred, uid.val);
	e->oom_score_adj = BPF_CORE_READ(victim, signal, oom_score_adj);
	/* the process's name is its leader's; a thread may bear another */
	BPF_CORE_READ_STR_INTO(&e->victim_comm, victim, group_leader, comm);
	copy_cmdline(e);

	struct mm_struct *mm = BPF_CORE_READ(victim, mm);
	u64 pages[MM_COUNTERS] = {};

	if (mm) {
		known |= OOM_HAS_MM;
		mm_rss(mm, pages);
	}
	e->file_pages = pages[MM_FILEPAGES];
	e->anon_pages = pages[MM_ANONPAGES];
	e->swap_pages = pages[MM_SWAPENTS];
	e->shmem_pages = pages[MM_SHMEMPAGES];
	e->total_vm_pages = mm ? BPF_CORE_READ(mm, total_vm) : 0;
	e->pgtables_bytes = mm ? BPF_CORE_READ(mm, pgtables_bytes.counter) : 0;

	/*
	 * A dying task that asks for memory is marked without a kill and without
	 * oom_kill_process(): what is known of this task's last OOM is not of this one.
	 */
	bool context = oom->oc_address &&
		       (!config.see_signals || (known & (OOM_SIGNALLED | OOM_SHARED_MM)) || oom->oc.chosen == victim);
	struct mem_cgroup *memcg = context ? oom->oc.memcg : NULL;

	if (context)
		known |= OOM_HAS_CONTEXT;
	e->total_pages = oom->oc.totalpages;
	e->constraint = oom->oc.constraint;
	e->gfp_mask = oom->oc.gfp_mask;
	e->order = oom->oc.order;
	e->limit_pages = 0;
	e->usage_pages = 0;
	if (memcg) {
		known |= OOM_HAS_MEMCG;
		e->limit_pages = BPF_CORE_READ(memcg, memory.max);
		e->usage_pages = BPF_CORE_READ(memcg, memory.usage.counter);
	}
	e->cgroup_len = memcg_path(memcg_of(victim), e->cgroup, sizeof(e->cgroup));
	e->domain_len = memcg_path(memcg, e->domain, sizeof(e->domain));
	e->stack_bytes = config.kernel_stack ? bpf_get_stack(ctx, e->stack, sizeof(e->stack), 0) : 0;
	if (config.kernel_stack && e->stack_bytes < 0)
		lost(LOSS_NO_STACK);
	e->known = known;
	e->padding = 0;
	oom->victim_mm = mm;

	struct dying dying = {
		.kill_id = e->kill_id,
		.killed_ns = e->time_ns,
		.pages = pages[MM_FILEPAGES] + pages[MM_ANONPAGES] + pages[MM_SHMEMPAGES],
		.mm = mm,
	};
	bpf_ringbuf_submit(e, 0);
	if (bpf_map_update_elem(&victims, &pid, &dying, BPF_ANY))
		lost(LOSS_MAP_FULL);
	return 0;
}

/* since 6.10, 72ba14deb40a ("mm: update mark_victim tracepoints fields"); backported to 6.1 */
SEC("tp_btf/mark_victim")
int BPF_PROG(oom_victim_btf, struct task_struct *victim)
{
	return report(ctx, victim, 0);
}

SEC("?fentry/mark_oom_victim")
int BPF_PROG(oom_victim_fentry, struct task_struct *victim)
{
	return report(ctx, victim, 0);
}

SEC("?kprobe/mark_oom_victim")
int BPF_KPROBE(oom_victim_kprobe, struct task_struct *victim)
{
	return report(ctx, victim, 0);
}

SEC("tp_btf/signal_generate")
int BPF_PROG(oom_signal_btf, int sig, void *info, struct task_struct *task)
{
	if (sig != SIGKILL || info != SEND_SIG_PRIV)
		return 0;
	struct oom *oom = current_oom();

	if (!oom)
		return 0;
	struct mm_struct *mm = task->mm;

	/* __oom_kill_process() kills the sharers after it marked the victim */
	if (mm && mm == oom->victim_mm) {
		struct dying *d;
		u32 pid = task->tgid;

		d = bpf_map_lookup_elem(&victims, &pid);
		if (!d || d->mm != mm) {
			oom->signalled_pid = pid;
			return report(ctx, task, OOM_SHARED_MM);
		}
	}
	oom->signalled_pid = task->tgid;
	return 0;
}

static __always_inline void memory_is_back(u32 pid, bool reaped)
{
	struct dying *d = bpf_map_lookup_elem(&victims, &pid);

	if (!d)
		return;
	u64 pages[MM_COUNTERS] = {};

	/* an exited process has let go of its mm: nothing to read, nothing held */
	if (reaped && d->mm)
		mm_rss(d->mm, pages);
	struct oomkill_end *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		lost(LOSS_RING_FULL);
	} else {
		e->kind = OOMKILL_END;
		e->victim_pid = pid;
		e->time_ns = bpf_ktime_get_ns();
		e->since_kill_ns = e->time_ns - d->killed_ns;
		e->kill_id = d->kill_id;
		e->reaped = reaped;
		e->padding = 0;
		e->before_pages = d->pages;
		e->after_pages = pages[MM_FILEPAGES] + pages[MM_ANONPAGES] + pages[MM_SHMEMPAGES];
		__builtin_memset(e->victim_comm, 0, sizeof(e->victim_comm));
		if (!reaped)
			bpf_get_current_comm(e->victim_comm, sizeof(e->victim_comm));
		bpf_ringbuf_submit(e, 0);
	}
	bpf_map_delete_elem(&victims, &pid);
}

SEC("tp_btf/finish_task_reaping")
int BPF_PROG(oom_reaped_btf, int pid)
{
	memory_is_back(pid, true);
	return 0;
}

/* do_exit(): behind exit_mm(), so the last thread's exit finds the memory free. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(oom_exit_btf, struct task_struct *task)
{
	if (BPF_CORE_READ(task, signal, live.counter) != 0)
		return 0;
	u32 pid = task->tgid;

	memory_is_back(pid, false);
	bpf_map_delete_elem(&cmdlines, &pid);
	return 0;
}
