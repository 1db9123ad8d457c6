// SPDX-License-Identifier: Apache-2.0
//
// The kernel's own sums of stalls for want of memory (PSI): the machine's, and a cgroup v2's.
#ifndef SWIFTMEM_PRESSURE_H
#define SWIFTMEM_PRESSURE_H
#include "workload.h"

struct pressure {
	bool known;
	uint64_t some_us, full_us;
};

/// Reads a memory pressure file; `known` is false where the kernel has none, or refuses (psi=0).
static inline struct pressure pressure_read(const char *path)
{
	struct pressure p = { 0 };
	char text[512];
	const char *some, *full;
	if (w_read_file(path, text, sizeof text) <= 0)
		return p;
	some = strstr(text, "some ");
	full = strstr(text, "full ");
	some = some ? strstr(some, "total=") : NULL;
	full = full ? strstr(full, "total=") : NULL;
	if (!some || !full)
		return p;
	p.some_us = strtoull(some + 6, NULL, 10);
	p.full_us = strtoull(full + 6, NULL, 10);
	p.known = true;
	return p;
}

/// Prints `"<key>":{"some_ns":..,"full_ns":..}`, or null where the kernel does not say.
static inline void pressure_print(const char *key, struct pressure before, struct pressure after)
{
	if (!before.known || !after.known) {
		j_null(key);
		return;
	}
	j_open(key, '{');
	j_uint("some_ns", (after.some_us - before.some_us) * 1000);
	j_uint("full_ns", (after.full_us - before.full_us) * 1000);
	j_close('}');
}

#endif
