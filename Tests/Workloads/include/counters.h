// SPDX-License-Identifier: Apache-2.0
//
// The kernel's own counters before and after a measured phase: the second source of a truth line.
// /proc/vmstat counts the whole machine, the rest this process.
#ifndef SWIFTMEM_COUNTERS_H
#define SWIFTMEM_COUNTERS_H
#include "workload.h"
#include <sys/resource.h>

struct counters {
	char vmstat[16384], status[4096], io[512];
	struct rusage usage;
	uint64_t time_ns, cpu_ns;
};

/// Reads them all. First has the kernel fold its per-CPU differences into /proc/vmstat (root only; without it the
/// nr_* counters lag by up to about a hundred pages a CPU).
static inline void counters_read(struct counters *c, bool before)
{
	char ignored[16];
	if (!before) {
		c->cpu_ns = w_now_ns(CLOCK_PROCESS_CPUTIME_ID);
		c->time_ns = w_now_ns(CLOCK_MONOTONIC);
		getrusage(RUSAGE_SELF, &c->usage);
	}
	w_read_file("/proc/sys/vm/stat_refresh", ignored, sizeof ignored);
	if (w_read_file("/proc/vmstat", c->vmstat, sizeof c->vmstat) < 0)
		w_die(W_FAILED, errno, "/proc/vmstat");
	if (w_read_file("/proc/self/status", c->status, sizeof c->status) < 0)
		w_die(W_FAILED, errno, "/proc/self/status");
	if (w_read_file("/proc/self/io", c->io, sizeof c->io) < 0)
		c->io[0] = 0; // a kernel without task I/O accounting
	if (before) {
		getrusage(RUSAGE_SELF, &c->usage);
		c->time_ns = w_now_ns(CLOCK_MONOTONIC);
		c->cpu_ns = w_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	}
}

/// The difference of one counter; false where the kernel does not have it.
static inline bool counters_delta(const char *before, const char *after, const char *key, int64_t *delta)
{
	uint64_t b, a;
	if (!w_field(before, key, &b) || !w_field(after, key, &a))
		return false;
	*delta = (int64_t)(a - b);
	return true;
}

/// Prints `"vmstat":{...}` with the differences of the counters named (a NULL ends the list); absent ones are left out.
static inline void counters_print_vmstat(const struct counters *before, const struct counters *after,
					 const char *const *keys)
{
	j_open("vmstat", '{');
	for (; *keys; keys++) {
		int64_t delta;
		if (counters_delta(before->vmstat, after->vmstat, *keys, &delta))
			j_int(*keys, delta);
	}
	j_close('}');
}

/// Prints a kB field of /proc/self/status before and after, as KEY_before_kb and KEY_after_kb.
static inline void counters_print_status(const struct counters *before, const struct counters *after, const char *field,
					 const char *key)
{
	char name[64];
	uint64_t kb;
	if (w_field(before->status, field, &kb)) {
		snprintf(name, sizeof name, "%s_before_kb", key);
		j_uint(name, kb);
	}
	if (w_field(after->status, field, &kb)) {
		snprintf(name, sizeof name, "%s_after_kb", key);
		j_uint(name, kb);
	}
}

#endif
