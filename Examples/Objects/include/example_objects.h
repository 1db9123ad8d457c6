// SPDX-License-Identifier: Apache-2.0
// The examples' BPF objects, as bytes of the program that loads them.
#ifndef EXAMPLE_OBJECTS_H
#define EXAMPLE_OBJECTS_H

#include <stddef.h>

struct example_object {
	const void *_Nonnull bytes;
	size_t size;
};

extern const struct example_object exec_events, calls_per_cpu, uprobe_cookies, task_list, file_opens;

#endif
