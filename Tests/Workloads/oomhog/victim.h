// SPDX-License-Identifier: Apache-2.0
//
// What a task inside the limited cgroup does. The program re-executes itself for it, so that a victim has a command
// line and an address space of its own; what it knows when it dies is in a page shared with the parent.
#ifndef SWIFTMEM_VICTIM_H
#define SWIFTMEM_VICTIM_H
#include "../include/workload.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/// Shared between parent and task, as the first page of a memfd (the rest of it is the task's known shmem-rss).
struct report {
	volatile uint64_t ready; // set when everything known is mapped, before the first page that is to fail
	volatile uint64_t touched_bytes; // anonymous bytes touched so far
	volatile uint64_t base_anon_kb, base_file_kb,
		base_shmem_kb; // RssAnon, RssFile, RssShmem at `ready`, without those
	volatile int64_t trigger_tid, sibling_pid, adj;
	volatile int error; // errno of a set-up step that failed
};

enum { FD_GO = 10, FD_SHMEM = 11, FD_FILE = 12 }; // where the parent puts the inherited descriptors

struct victim_options {
	// hog, global, thread, shared-mm: touch until killed; idle: touch `bytes` and sleep; trigger: touch `bytes`, then end
	const char *role;
	int index;
	uint64_t bytes, shmem_bytes, file_bytes;
	long long uid, adj;
	bool adj_wanted; // else 0 where it may be set: a killer-proof parent would hand on its -1000
};

static struct report *victim_report;
static uint64_t victim_bytes;
static char victim_comm[16];

static inline void victim_check(bool ok)
{
	if (!ok) {
		victim_report->error = errno ? errno : EINVAL;
		_exit(W_FAILED);
	}
}

static inline void *victim_touch(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, victim_comm);
	victim_report->trigger_tid = syscall(SYS_gettid);
	long page = sysconf(_SC_PAGESIZE);
	char *memory =
		mmap(NULL, victim_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	victim_check(memory != MAP_FAILED);
	madvise(memory, victim_bytes, MADV_NOHUGEPAGE); // a huge page would be touched before it is counted
	static char text[4096];
	uint64_t kb = 0;
	victim_check(w_read_file("/proc/self/status", text, sizeof text) >
		     0); // all code and stack below has then run once
	// Unmapping a page makes kernels before 6.2 add up their counts, which lag by up to 64 faults a thread.
	memory[0] = 1;
	madvise(memory, (size_t)page, MADV_DONTNEED);
	victim_check(w_read_file("/proc/self/status", text, sizeof text) > 0);
	victim_report->base_anon_kb = w_field(text, "RssAnon", &kb) ? kb : 0;
	victim_report->base_file_kb = w_field(text, "RssFile", &kb) ? kb : 0;
	victim_report->base_shmem_kb = w_field(text, "RssShmem", &kb) ? kb : 0;
	victim_report->ready = 1;
	for (uint64_t at = 0; at < victim_bytes; at += (uint64_t)page) {
		memory[at] = 1;
		victim_report->touched_bytes = at + (uint64_t)page;
	}
	return NULL;
}

static inline int victim_sibling(void *unused)
{
	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
	return 0;
}

__attribute__((noreturn)) static inline void victim_main(const struct victim_options *o)
{
	pid_t parent = getppid();
	victim_report = mmap(NULL, o->shmem_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, FD_SHMEM, 0);
	if (victim_report == MAP_FAILED)
		_exit(W_FAILED);
	long page = sysconf(_SC_PAGESIZE);
	for (uint64_t at = sizeof *victim_report; at < o->shmem_bytes; at += (uint64_t)page)
		(void)((volatile char *)victim_report)[at];
	if (o->file_bytes) {
		const volatile char *file = mmap(NULL, o->file_bytes, PROT_READ, MAP_SHARED, FD_FILE, 0);
		victim_check(file != MAP_FAILED);
		for (uint64_t at = 0; at < o->file_bytes; at += (uint64_t)page)
			(void)file[at];
	}
	char text[4096];
	snprintf(text, sizeof text, "%lld", o->adj);
	errno = w_write_file("/proc/self/oom_score_adj", text);
	victim_check(!errno || !o->adj_wanted);
	victim_check(w_read_file("/proc/self/oom_score_adj", text, sizeof text) > 0);
	victim_report->adj = strtol(text, NULL, 10);
	if (strcmp(o->role, "global") == 0)
		mlockall(MCL_CURRENT); // else the machine first spends a minute on reading its own code again and again
	victim_check(!o->uid || setresuid((uid_t)o->uid, (uid_t)o->uid, (uid_t)o->uid) == 0);
	w_die_with(parent); // after setresuid, which clears it
	snprintf(victim_comm, sizeof victim_comm, "oomhog-%d", o->index);
	prctl(PR_SET_NAME, victim_comm);

	bool thread = strcmp(o->role, "thread") == 0;
	pthread_t id;
	victim_bytes = o->bytes;
	if (strcmp(o->role, "shared-mm") == 0) {
		// CLONE_VM without CLONE_THREAD: another process in the same address space, which the kernel must kill as well.
		static char stack[16384] __attribute__((aligned(16)));
		int pid = clone(victim_sibling, stack + sizeof stack, CLONE_VM | CLONE_PARENT | SIGCHLD, NULL);
		victim_check(pid > 0);
		victim_report->sibling_pid = pid;
	}
	char go;
	victim_check(read(FD_GO, &go, 1) == 1);
	if (thread) {
		snprintf(victim_comm, sizeof victim_comm, "oomhog-thr-%d", o->index);
		victim_check(pthread_create(&id, NULL, victim_touch, NULL) == 0);
		pthread_join(id, NULL);
	} else {
		victim_touch(NULL);
	}
	while (strcmp(o->role, "idle") == 0)
		pause();
	_exit(strcmp(o->role, "trigger") == 0 ? 0 : W_FAILED); // a hog that gets here was never killed
}

#endif
