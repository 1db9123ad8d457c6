// SPDX-License-Identifier: Apache-2.0
//
// A member of the crowd: a process whose memory follows a curve that is given by the clock, so that its rate is known
// whoever else has the processor.
#ifndef SWIFTMEM_MEMBER_H
#define SWIFTMEM_MEMBER_H
#include "../include/workload.h"
#include <sys/mman.h>

enum curve { HOLD, LINEAR, STEP, SAW };
static const char *const curve_names[] = { "hold", "linear", "step", "saw" };

struct member {
	enum curve curve;
	uint64_t base; // touched before all begin
	uint64_t most; // a line ends there; 0: never
	uint64_t shmem; // of its own, touched before all begin
	double rate; // bytes a second; a step's every second
	uint64_t rise; // a tooth begins so much above the one before
	long long after_ms, every_ms;
	long long adj;
	int children; // each holds 1 MiB, in a process of its own
	// what came of it
	pid_t pid;
	char comm[16];
	struct member_report *report;
	uint64_t oom_score, rss_kb, swap_kb, tables_kb;
	bool scored, killed;
};

/// Shared by a member and the parent.
struct member_report {
	volatile uint64_t ready, held; // bytes that it holds by its curve
	volatile int error;
};

/// What a member is to hold so many seconds after the start.
static inline uint64_t member_due(const struct member *m, double seconds)
{
	double t = seconds - (double)m->after_ms / 1000, every = (double)m->every_ms / 1000;
	if (t <= 0 || m->curve == HOLD)
		return m->base;
	double bytes = 0, whole = (double)(uint64_t)(t / every);
	switch (m->curve) {
	case HOLD: break;
	case LINEAR: bytes = m->rate * t; break;
	case STEP: bytes = m->rate * every * whole; break;
	case SAW: bytes = m->rate * (t - every * whole) + (double)m->rise * whole; break;
	}
	uint64_t due = m->base + (uint64_t)bytes;
	return m->most && due > m->most ? m->most : due;
}

static inline void member_check(struct member *m, bool ok)
{
	if (!ok) {
		m->report->error = errno ? errno : EINVAL;
		_exit(W_FAILED);
	}
}

static inline void member_child(struct member *m)
{
	pid_t parent = getpid(), pid = fork();
	member_check(m, pid >= 0);
	if (pid)
		return;
	w_die_with(parent);
	char *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory != MAP_FAILED)
		memset(memory, 1, 1 << 20);
	for (;;)
		pause();
}

/// What a member does, in the limited cgroup, until it is killed. Every page of it is touched once.
__attribute__((noreturn)) static inline void member_main(struct member *m, uint64_t room, int go)
{
	char text[32];
	snprintf(text, sizeof text, "%lld", m->adj);
	errno = w_write_file("/proc/self/oom_score_adj", text);
	member_check(m, !errno || !m->adj);
	prctl(PR_SET_NAME, m->comm);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), held = 0;
	char *memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	member_check(m, memory != MAP_FAILED);
	madvise(memory, room, MADV_NOHUGEPAGE);
	if (m->shmem) {
		char *shared = mmap(NULL, m->shmem, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		member_check(m, shared != MAP_FAILED);
		for (uint64_t at = 0; at < m->shmem; at += page)
			shared[at] = 1;
	}
	for (int i = 0; i < m->children; i++)
		member_child(m);
	for (; held + page <= m->base; held += page)
		memory[held] = 1;
	m->report->held = held;
	m->report->ready = 1;
	// the moment that all begin at, for the parent closes the pipe after it wrote it
	uint64_t begun;
	member_check(m, read(go, &begun, sizeof begun) == sizeof begun);
	for (;;) {
		uint64_t due = member_due(m, (double)(w_now_ns(CLOCK_MONOTONIC) - begun) / 1e9);
		due = (due < room ? due : room) / page * page;
		for (; held < due; held += page) {
			memory[held] = 1;
			m->report->held = held + page;
		}
		if (held > due) {
			madvise(memory + due, held - due, MADV_DONTNEED);
			held = due;
			m->report->held = held;
		}
		w_sleep_ms(m->curve == HOLD ? 1000 : 4);
	}
}

#endif
