// SPDX-License-Identifier: Apache-2.0
//
// Many shm calls from many threads; the truth is how many of each came to which end.
#ifndef SWIFTMEM_STRESS_H
#define SWIFTMEM_STRESS_H
#include "sysv.h"
#include <pthread.h>

enum { GET, AT, DT, CTL, KINDS, ERRORS = 134 };
static const char *const kind_names[KINDS] = { "shmget", "shmat", "shmdt", "shmctl" };

struct stress_thread {
	pthread_t id;
	pid_t tid;
	bool owner; // of the segment that all race for
	uint64_t ends[KINDS][ERRORS]; // by errno, 0 success
};

static uint64_t stress_calls;
static bool stress_race;
static volatile int raced_id = -1;
static volatile bool stress_over;
static pthread_barrier_t stress_start;

static inline long ended(struct stress_thread *t, int kind, long result)
{
	int e = result == -1 ? errno : 0;
	t->ends[kind][e < ERRORS ? e : ERRORS - 1]++;
	return result;
}

static inline void *stress_run(void *argument)
{
	struct stress_thread *t = argument;
	t->tid = (pid_t)syscall(SYS_gettid);
	pthread_barrier_wait(&stress_start);
	struct shmid_ds ds;
	for (uint64_t i = 0; i < stress_calls; i++) {
		if (stress_race && !t->owner) { // shmat and shmctl of a segment that its owner removes meanwhile
			long at = ended(t, AT, syscall(SYS_shmat, raced_id, 0L, 0L));
			if (at != -1)
				ended(t, DT, syscall(SYS_shmdt, at));
			ended(t, CTL, syscall(SYS_shmctl, raced_id, (long)IPC_STAT, &ds));
			continue;
		}
		long id = ended(t, GET, syscall(SYS_shmget, (long)IPC_PRIVATE, 4096L, (long)(IPC_CREAT | 0600)));
		if (id == -1)
			continue;
		raced_id = (int)id;
		long at = ended(t, AT, syscall(SYS_shmat, id, 0L, 0L));
		if (at != -1)
			ended(t, DT, syscall(SYS_shmdt, at));
		ended(t, CTL, syscall(SYS_shmctl, id, (long)IPC_RMID, NULL));
	}
	return NULL;
}

/// Runs them all and returns the threads' counts; the caller prints and frees.
static inline struct stress_thread *stress(int threads)
{
	struct stress_thread *t = calloc((size_t)threads, sizeof *t);
	if (!t || pthread_barrier_init(&stress_start, NULL, (unsigned)threads))
		w_die(W_FAILED, ENOMEM, "threads");
	for (int i = 0; i < threads; i++) {
		t[i].owner = i == 0;
		int e = pthread_create(&t[i].id, NULL, stress_run, &t[i]);
		if (e)
			w_die(W_FAILED, e, "thread %d", i);
	}
	for (int i = 0; i < threads; i++)
		pthread_join(t[i].id, NULL);
	return t;
}

static inline void print_stress(const struct stress_thread *t, int threads)
{
	uint64_t total = 0;
	j_open("threads", '[');
	for (int i = 0; i < threads; i++) {
		j_open(NULL, '{');
		j_int("tid", t[i].tid);
		j_open("ends", '[');
		for (int k = 0; k < KINDS; k++)
			for (int e = 0; e < ERRORS; e++)
				if (t[i].ends[k][e]) {
					total += t[i].ends[k][e];
					j_open(NULL, '{');
					j_text("call", kind_names[k]);
					j_int("errno", e);
					if (e)
						j_text("errno_name", error_name(e));
					j_uint("count", t[i].ends[k][e]);
					j_close('}');
				}
		j_close(']');
		j_close('}');
	}
	j_close(']');
	j_uint("calls_made", total);
}

#endif
