/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * memleak: what processes allocate and do not free.
 *
 * Heap blocks are kept in `blocks` by process and address: put there when the
 * call that gave them returns, taken out when the call that frees them begins,
 * so that no other thread can have the address meanwhile. Mappings are told to
 * user space call by call, for parts of them can be unmapped.
 *
 * An allocator calls itself: malloc maps memory, calloc may call malloc, operator
 * new does. Only the outermost call counts. It is in flight from its entry to its
 * return and known by its stack pointer, which is what call depth is: a call with
 * a lower one is nested in it, a call with a higher one proves that it was left
 * without returning (an exception, longjmp).
 *
 * C++'s operator new may throw, and an exception can't pass a frame whose return
 * address the kernel has replaced: the program would be terminated. Where it calls
 * malloc, its entry is enough: the stack taken there becomes malloc's. Where it does
 * not, its return is watched only of sizes that hardly fail, and only by a session,
 * which can choose.
 *
 * Three ways to be attached, one set of rules:
 *   perf     an entry and a return probe a function, a program each (no cookies
 *            before 5.15)
 *   multi    one program for all entries, one for all returns, told apart by cookie
 *   session  one program for both, which skips the return where it isn't wanted
 */
#include "lib/kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/byte_sampling.h"
#include "lib/filter.h"
#include "lib/loss.h"
#include "lib/private_stack.h"
static struct stack_state *thread_state(void);
#define STACK_STATE() thread_state()
#include "lib/stack.h"
#include "unwind/process.h"
#include "memleak.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct memleak_config config SEC(".rodata.config") = {};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct memleak_key);
	__type(value, struct memleak_block);
} blocks SEC(".maps");

/* The blocks' sum by process and stack, where user space does not add them up. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct memleak_total_key);
	__type(value, struct memleak_total);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct memleak_counters);
} counters SEC(".maps");

/* Processes that are traced. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} events SEC(".maps");

enum thread_flag {
	RECORD = 1, /* what the call in flight gives is to be recorded */
	HAS_OLD = 2, /* `old` was taken out of `blocks` */
};

/* What a thread is in the middle of. */
struct thread {
	u64 sp; /* of the outermost call in flight; 0: none */
	u32 op;
	u32 flags;
	u64 size;
	u64 address; /* the old block or range, or where posix_memalign puts its result */
	u64 new_length;
	u64 map_flags;
	u64 enter_ns;
	u64 stack;
	struct memleak_block old;
	u64 trampoline; /* what the kernel puts in place of a probed function's return address */
	/* the last call that was left to itself: a free, or one not sampled */
	u64 mark_sp;
	u64 mark_return;
	u64 mark_ip;
	u64 freed; /* the block of that free */
	/* an operator new on its way to malloc */
	u64 outer_sp;
	u64 outer_return;
	u64 outer_stack;
	u64 kept; /* the stack last put into the table */
	u64 seen; /* not a fresh state */
	struct stack_state captured;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct thread);
} threads_by_tid SEC(".maps");

/* The state of a thread that has none yet: larger than a program's own stack. */
static const struct thread fresh_thread;

static __always_inline struct thread *thread_of(u32 tid, bool create)
{
	if (config.task_storage)
		return bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
					    create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	struct thread *thread = bpf_map_lookup_elem(&threads_by_tid, &tid);

	if (thread || !create)
		return thread;
	bpf_map_update_elem(&threads_by_tid, &tid, &fresh_thread, BPF_NOEXIST);
	return bpf_map_lookup_elem(&threads_by_tid, &tid);
}

static __always_inline struct stack_state *thread_state(void)
{
	struct thread *thread = thread_of((u32)bpf_get_current_pid_tgid(), false);

	return thread ? &thread->captured : NULL;
}

static __always_inline struct memleak_counters *count(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

/* Atomic though per CPU: programs of user probes are preempted. */
#define COUNT(name) \
	do { \
		struct memleak_counters *all = count(); \
		if (all) \
			__atomic_fetch_add(&all->name, 1, __ATOMIC_RELAXED); \
	} while (0)

static __always_inline bool traced(u32 pid)
{
	if (config.by_cgroup)
		return filtered_in();
	return !config.chosen_only || bpf_map_lookup_elem(&processes, &pid);
}

/* ---- telling user space ------------------------------------------------------ */

static __always_inline struct memleak_event *new_event(u32 kind)
{
	struct memleak_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		lost(LOSS_RING_FULL);
		return NULL;
	}
	u64 id = bpf_get_current_pid_tgid();

	__builtin_memset(event, 0, sizeof(*event));
	event->kind = kind;
	event->pid = id >> 32;
	event->tid = (u32)id;
	event->time_ns = bpf_ktime_get_ns();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	return event;
}

static __always_inline void tell(u32 kind, struct thread *thread, u64 result, bool recorded)
{
	struct memleak_event *event = new_event(kind);

	if (!event)
		return;
	event->op = thread->op;
	event->enter_ns = thread->enter_ns;
	event->address = thread->address;
	event->length = thread->size;
	event->new_length = thread->new_length;
	event->map_flags = thread->map_flags;
	event->result = result;
	event->stack = thread->stack;
	event->recorded = recorded;
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void tell_free(u64 address, u64 size, bool recorded)
{
	struct memleak_event *event = new_event(MEMLEAK_TRACED);

	if (!event)
		return;
	event->op = MEMLEAK_FREE;
	event->address = address;
	event->length = size;
	event->recorded = recorded;
	bpf_ringbuf_submit(event, 0);
}

/* ---- the ledger -------------------------------------------------------------- */

static __always_inline void add_to_total(u32 pid, u64 stack, s64 bytes, s64 calls)
{
	struct memleak_total_key key = { .stack = stack, .pid = pid };
	struct memleak_total *total = bpf_map_lookup_elem(&totals, &key);

	if (!total) {
		struct memleak_total none = {};

		bpf_map_update_elem(&totals, &key, &none, BPF_NOEXIST);
		total = bpf_map_lookup_elem(&totals, &key);
		if (!total) {
			lost(LOSS_MAP_FULL);
			return;
		}
	}
	/* a program may be preempted by another on its CPU; relaxed, for 5.10 knows no fetching */
	__atomic_fetch_add(&total->bytes, bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&total->count, calls, __ATOMIC_RELAXED);
}

/* Takes a block out; false where it was not recorded. */
static __always_inline bool take(u32 pid, u64 address, struct memleak_block *old)
{
	struct memleak_key key = { .address = address, .pid = pid };
	struct memleak_block *block = bpf_map_lookup_elem(&blocks, &key);

	if (!block)
		return false;
	*old = *block;
	if (bpf_map_delete_elem(&blocks, &key))
		return false;
	if (config.totals)
		add_to_total(pid, old->stack, -(s64)old->size, -1);
	return true;
}

static __always_inline bool put(u32 pid, u64 address, const struct memleak_block *block)
{
	struct memleak_key key = { .address = address, .pid = pid };

	if (config.totals) {
		/* an address given out again was freed unseen */
		struct memleak_block unseen;

		take(pid, address, &unseen);
	}
	if (bpf_map_update_elem(&blocks, &key, block, BPF_ANY)) {
		lost(LOSS_MAP_FULL);
		return false;
	}
	if (config.totals)
		add_to_total(pid, block->stack, block->size, 1);
	return true;
}

/* ---- calls within calls ------------------------------------------------------- */

#if defined(__TARGET_ARCH_x86)
static __always_inline u64 trampoline_now(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, mm, uprobes_state.xol_area, vaddr);
}
#endif

/*
 * Is a call at `sp` within the one in flight? At the same depth it is when a tail
 * call led there: the return address is the kernel's trampoline then. A frame that
 * an exception left is told by its return address not being the trampoline's any
 * more; on arm64 that is in a register, and depth alone decides.
 */
static __always_inline bool is_nested(struct thread *thread, u64 sp)
{
	if (sp > thread->sp)
		return false;
#if defined(__TARGET_ARCH_x86)
	u64 there = 0;

	if (bpf_probe_read_user(&there, sizeof(there), (void *)thread->sp))
		return false;
	if (there == thread->trampoline && there)
		return true;
	thread->trampoline = trampoline_now();
	return there && there == thread->trampoline;
#else
	return sp < thread->sp;
#endif
}

/* What an allocator's own frames take at most below a call of it. */
#define ALLOCATOR_DEPTH 8192
/* An allocator's calls come from its own file. */
#define SAME_FILE (8 << 20)

static __always_inline void mark(struct pt_regs *ctx, struct thread *thread, u64 caller)
{
	thread->mark_sp = PT_REGS_SP(ctx);
	thread->mark_return = caller;
	thread->mark_ip = PT_REGS_IP(ctx);
}

/*
 * Is this call of mmap, munmap or mremap made by the marked call, whose return is
 * not watched? It is when it comes from the allocator's text, from not far below,
 * and the marked call's return address still stands on the stack.
 */
static __always_inline bool is_under_mark(struct thread *thread, u64 sp, u64 caller)
{
	u64 distance = caller - thread->mark_ip + SAME_FILE;

	if (!thread->mark_sp || sp > thread->mark_sp || thread->mark_sp - sp > ALLOCATOR_DEPTH ||
	    distance > 2 * SAME_FILE)
		return false;
#if defined(__TARGET_ARCH_x86)
	u64 there = 0;

	if (bpf_probe_read_user(&there, sizeof(there), (void *)thread->mark_sp))
		return false;
	return there == thread->mark_return;
#else
	return true;
#endif
}

/* What an allocator's source file compiles to at most. */
#define OWN_TEXT (64 << 10)

/*
 * Does the allocator free what it gave itself? glibc's threads free their cache
 * like this at their end.
 */
static __always_inline bool is_own_call(struct pt_regs *ctx)
{
	return return_address(ctx) - PT_REGS_IP(ctx) + OWN_TEXT < 2 * OWN_TEXT;
}

/* ---- entries ------------------------------------------------------------------ */

static __always_inline void enter_free(struct pt_regs *ctx, u32 pid, u32 tid)
{
	u64 address = PT_REGS_PARM1(ctx);
	struct memleak_block old = {};
	bool known;

	if (!address)
		return;
	struct thread *thread = thread_of(tid, true);

	if (thread) {
		u64 sp = PT_REGS_SP(ctx);

		/* realloc and the like free what they replace themselves */
		if (thread->sp && is_nested(thread, sp))
			return;
		if (config.mark_frees || !thread->seen) {
			/* operator delete calls free with the same block */
			if (thread->freed == address && thread->mark_sp && sp <= thread->mark_sp &&
			    thread->mark_sp - sp < ALLOCATOR_DEPTH)
				return;
			mark(ctx, thread, return_address(ctx));
			thread->freed = address;
			thread->seen = 1;
		} else {
			thread->mark_sp = 0;
		}
	}
	if (config.totals || config.trace) {
		known = take(pid, address, &old);
	} else {
		struct memleak_key key = { .address = address, .pid = pid };

		known = bpf_map_delete_elem(&blocks, &key) == 0;
	}
	if (known)
		COUNT(frees);
	else if (!is_own_call(ctx))
		COUNT(unmatched_frees);
	if (config.trace)
		tell_free(address, old.size, known);
}

/* What operator new's own frames take at most. */
#define OUTER_DEPTH 512
/* A new of more than this may well fail. */
#define SAFE_NEW (1ULL << 30)

/* Is an operator new, entered before, on its way to a call at `sp`? */
static __always_inline bool is_under_outer(struct thread *thread, u64 sp)
{
	if (!thread->outer_sp || sp > thread->outer_sp || thread->outer_sp - sp > OUTER_DEPTH)
		return false;
#if defined(__TARGET_ARCH_x86)
	u64 there = 0;

	return bpf_probe_read_user(&there, sizeof(there), (void *)thread->outer_sp) == 0 &&
	       there == thread->outer_return;
#else
	return true;
#endif
}

static __always_inline u64 capture(struct pt_regs *ctx, struct thread *thread, u64 caller)
{
	u64 stack = stack_capture(ctx, &thread->captured, caller);
	bool is_new = false;

	if (stack && unwind_wants(&thread->captured)) {
		struct memleak_event *event = new_event(MEMLEAK_UNMAPPED);

		if (event) {
			event->address = thread->captured.walk.pc;
			bpf_ringbuf_submit(event, 0);
		}
	}
	/* a stack once in the table is known for good: its reader keeps it */
	if (!stack || stack == thread->kept)
		return stack;
	if (!stack_keep(stack, &thread->captured.record, &is_new))
		return 0;
	thread->kept = stack;
	if (is_new)
		COUNT(stacks);
	return stack;
}

/* Returns whether the call's return is to be seen. */
static __always_inline bool enter(struct pt_regs *ctx, u32 op, bool session)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 pid = id >> 32;

	if (!traced(pid))
		return false;
	if (op == MEMLEAK_FREE) {
		enter_free(ctx, pid, (u32)id);
		return false;
	}
	struct thread *thread = thread_of((u32)id, true);

	if (!thread) {
		lost(LOSS_TASK_STATE);
		return false;
	}
	u64 sp = PT_REGS_SP(ctx);

	if (thread->sp) {
		if (is_nested(thread, sp))
			return false;
		thread->sp = 0;
		COUNT(abandoned);
	}
	u64 caller = return_address(ctx), outer = 0;
	bool mapping = op >= MEMLEAK_MMAP;

	if (is_under_outer(thread, sp)) {
		if (op == MEMLEAK_OUTER)
			return false; /* new[] calls new */
		outer = thread->outer_stack;
	}
	thread->outer_sp = 0;
	if (op == MEMLEAK_OUTER) {
		thread->outer_stack = capture(ctx, thread, caller);
		thread->outer_return = caller;
		thread->outer_sp = sp;
		return false;
	}
	if (op == MEMLEAK_NEW && (!session || PT_REGS_PARM1(ctx) > SAFE_NEW)) {
		COUNT(unseen_new);
		return false;
	}

	if (mapping && is_under_mark(thread, sp, caller))
		return false;
	thread->mark_sp = 0;
	thread->freed = 0;
	thread->seen = 1;

	u64 a = PT_REGS_PARM1(ctx), b = PT_REGS_PARM2(ctx), c = PT_REGS_PARM3(ctx);
	u64 size = 0, address = 0, new_length = 0, map_flags = 0;
	u32 flags = RECORD;

	switch (op) {
	case MEMLEAK_SIZE:
	case MEMLEAK_OUTER_SIZE:
	case MEMLEAK_NEW: size = a; break;
	case MEMLEAK_CALLOC:
		size = a * b; /* a product that overflows fails */
		break;
	case MEMLEAK_REALLOC:
		address = a;
		size = b;
		break;
	case MEMLEAK_REALLOCARRAY:
		address = a;
		size = b * c;
		break;
	case MEMLEAK_ALIGNED: size = b; break;
	case MEMLEAK_POSIX_MEMALIGN:
		address = a;
		size = c;
		break;
	case MEMLEAK_MMAP:
		size = b;
		map_flags = PT_REGS_PARM4(ctx);
		break;
	case MEMLEAK_MUNMAP:
		address = a;
		size = b;
		break;
	case MEMLEAK_MREMAP:
		address = a;
		size = b;
		new_length = c;
		map_flags = PT_REGS_PARM4(ctx);
		break;
	}

	u64 asked = op == MEMLEAK_MREMAP ? new_length : size;

	if (op != MEMLEAK_MUNMAP && (asked < config.min_size || asked > config.max_size)) {
		flags = 0;
		COUNT(filtered_out);
	} else if (config.sample_threshold && !mapping && bpf_get_prandom_u32() >= config.sample_threshold) {
		flags = 0;
		COUNT(sampled_out);
	} else if (config.sample_bytes && !mapping && !bytes_sampled(size)) {
		flags = 0;
		COUNT(sampled_out);
	}
	/* Before the block is really free: afterwards its address may be another's. */
	if ((op == MEMLEAK_REALLOC || op == MEMLEAK_REALLOCARRAY) && address) {
		if (take(pid, address, &thread->old))
			flags |= HAS_OLD;
	}
	/* Only malloc calls no other allocator function; nested ones must find it in flight. */
	if (session && !flags && op == MEMLEAK_SIZE) {
		mark(ctx, thread, caller);
		return false;
	}
	thread->op = op;
	thread->flags = flags;
	thread->size = size;
	thread->address = address;
	thread->new_length = new_length;
	thread->map_flags = map_flags;
	thread->stack = 0;
	thread->enter_ns = mapping ? bpf_ktime_get_ns() : 0;
	if ((flags & RECORD) && op != MEMLEAK_MUNMAP) {
		thread->stack = outer ? outer : capture(ctx, thread, caller);
	}
	thread->sp = sp; /* last: from here on it is in flight */
	return true;
}

/* ---- returns ------------------------------------------------------------------ */

/* The stack pointer at the entry, seen from the return. */
#if defined(__TARGET_ARCH_x86)
#define ENTRY_SP(ctx) (PT_REGS_SP(ctx) - 8)
#else
#define ENTRY_SP(ctx) PT_REGS_SP(ctx)
#endif

static __always_inline void leave_mapping(struct thread *thread, u64 result)
{
	u32 op = thread->op;
	/* MAP_FAILED of mmap and mremap, -1 of munmap, as 64 or as 32 bits */
	bool failed = op == MEMLEAK_MUNMAP ? (s32)result != 0 : result == (u64)-1;

	if (failed) {
		COUNT(failed);
	} else {
		if (op == MEMLEAK_MUNMAP)
			COUNT(frees);
		else if (thread->flags & RECORD)
			COUNT(allocations);
		if ((thread->flags & RECORD) && op != MEMLEAK_MUNMAP && !thread->stack)
			lost(LOSS_NO_STACK);
		tell(MEMLEAK_MAPPING, thread, result, thread->flags & RECORD);
	}
	if (config.trace)
		tell(MEMLEAK_TRACED, thread, result, !failed);
}

static __always_inline void leave(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 pid = id >> 32;
	struct thread *thread = thread_of((u32)id, false);

	/* a nested call's return is at another depth */
	if (!thread || !thread->sp || ENTRY_SP(ctx) != thread->sp)
		return;
	thread->sp = 0;
	u64 result = PT_REGS_RC(ctx);
	u32 op = thread->op;

	if (op >= MEMLEAK_MMAP) {
		leave_mapping(thread, result);
		return;
	}
	if (op == MEMLEAK_POSIX_MEMALIGN) {
		u64 where = thread->address;

		if ((s32)result)
			result = 0;
		else if (bpf_probe_read_user(&result, sizeof(result), (void *)where)) {
			result = 0;
			lost(LOSS_UNREADABLE);
		}
	}
	if (op == MEMLEAK_REALLOC || op == MEMLEAK_REALLOCARRAY) {
		/* it gave nothing: the old block stays, unless it was to shrink to nothing */
		if (!result && thread->size && (thread->flags & HAS_OLD))
			put(pid, thread->address, &thread->old);
		else if (thread->flags & HAS_OLD)
			COUNT(frees);
		else if (result && thread->address)
			COUNT(unmatched_frees);
	}
	if (!result) {
		COUNT(failed);
	} else if (thread->flags & RECORD) {
		struct memleak_block block = {
			.size = thread->size,
			.time_ns = bpf_ktime_get_ns(),
			.stack = thread->stack,
		};

		if (!block.stack)
			lost(LOSS_NO_STACK);
		if (put(pid, result, &block))
			COUNT(allocations);
	}
	if (config.trace)
		tell(MEMLEAK_TRACED, thread, result, thread->flags & RECORD);
}

/* ---- perf: a program a function ------------------------------------------------ */

/* The programs do nothing: what the probes themselves cost. */
#define EMPTY(result) \
	do { \
		if (config.empty) \
			return result; \
	} while (0)

#define PERF_PROBE(name, op) \
	SEC("uprobe") \
	int name##_uprobe(struct pt_regs *ctx) \
	{ \
		EMPTY(0); \
		NO_PRIVATE_STACK(ctx); \
		enter(ctx, op, false); \
		return 0; \
	}

PERF_PROBE(malloc, MEMLEAK_SIZE)
PERF_PROBE(new, MEMLEAK_NEW)
PERF_PROBE(outer_new, MEMLEAK_OUTER)
PERF_PROBE(calloc, MEMLEAK_CALLOC)
PERF_PROBE(realloc, MEMLEAK_REALLOC)
PERF_PROBE(reallocarray, MEMLEAK_REALLOCARRAY)
PERF_PROBE(aligned_alloc, MEMLEAK_ALIGNED)
PERF_PROBE(posix_memalign, MEMLEAK_POSIX_MEMALIGN)
PERF_PROBE(free, MEMLEAK_FREE)
PERF_PROBE(mmap, MEMLEAK_MMAP)
PERF_PROBE(munmap, MEMLEAK_MUNMAP)
PERF_PROBE(mremap, MEMLEAK_MREMAP)

SEC("uretprobe")
int call_uretprobe(struct pt_regs *ctx)
{
	EMPTY(0);
	NO_PRIVATE_STACK(ctx);
	leave(ctx);
	return 0;
}

/* ---- multi ---------------------------------------------------------------------- */

SEC("uprobe")
int call_enter_multi(struct pt_regs *ctx)
{
	EMPTY(0);
	NO_PRIVATE_STACK(ctx);
	enter(ctx, bpf_get_attach_cookie(ctx), false);
	return 0;
}

SEC("uretprobe")
int call_return_multi(struct pt_regs *ctx)
{
	EMPTY(0);
	NO_PRIVATE_STACK(ctx);
	leave(ctx);
	return 0;
}

/* ---- session -------------------------------------------------------------------- */

/* Seen from the return, the instruction pointer is the caller's already. */
SEC("uprobe")
int call_session(struct pt_regs *ctx)
{
	/* as in earnest: nobody waits for the return of a free */
	EMPTY(bpf_get_attach_cookie(ctx) == MEMLEAK_FREE);
	NO_PRIVATE_STACK(ctx);
	if (PT_REGS_IP(ctx) != bpf_get_func_ip(ctx)) {
		leave(ctx);
		return 0;
	}
	return enter(ctx, bpf_get_attach_cookie(ctx), true) ? 0 : 1;
}

/* ---- processes ------------------------------------------------------------------ */

SEC("raw_tp/sched_process_fork")
int process_fork_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *parent = (void *)ctx->args[0], *child = (void *)ctx->args[1];
	u32 from = BPF_CORE_READ(parent, tgid), pid = BPF_CORE_READ(child, tgid), one = 1;

	if (pid != (u32)BPF_CORE_READ(child, pid))
		return 0; /* a thread */
	if (config.by_cgroup ? !filtered_in() : !bpf_map_lookup_elem(&processes, &from))
		return 0;
	if (!config.by_cgroup) {
		if (!config.follow)
			return 0;
		if (bpf_map_update_elem(&processes, &pid, &one, BPF_ANY)) {
			lost(LOSS_MAP_FULL);
			return 0;
		}
	}
	unwind_forked(from, pid);
	struct memleak_event *event = new_event(MEMLEAK_FORKED);

	if (event) {
		event->parent = from;
		event->pid = pid;
		bpf_ringbuf_submit(event, 0);
	}
	return 0;
}

static __always_inline void tell_process(u32 kind)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (config.by_cgroup ? !filtered_in() : !bpf_map_lookup_elem(&processes, &pid))
		return;
	struct memleak_event *event = new_event(kind);

	if (event)
		bpf_ringbuf_submit(event, 0);
}

SEC("raw_tp/sched_process_exec")
int process_exec_rawtp(void *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	struct thread *thread = thread_of((u32)id, false);

	if (thread) {
		thread->sp = 0;
		thread->mark_sp = 0;
		thread->trampoline = 0;
	}
	unwind_execed(id >> 32, thread ? &thread->captured : NULL);
	tell_process(MEMLEAK_EXECED);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int process_exit_rawtp(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u32 tid = bpf_get_current_pid_tgid();

	if (!config.task_storage)
		bpf_map_delete_elem(&threads_by_tid, &tid);
	if (BPF_CORE_READ(task, signal, live.counter) == 0) {
		u32 pid = bpf_get_current_pid_tgid() >> 32;

		tell_process(MEMLEAK_EXITED);
		/* its number may be another's soon */
		if (!config.by_cgroup)
			bpf_map_delete_elem(&processes, &pid);
	}
	return 0;
}
