/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What user space gives the walk (Sources/Unwind/Upload): how to walk, tables, mappings. */
#ifndef SWIFTMEM_UNWIND_MAPS_H
#define SWIFTMEM_UNWIND_MAPS_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "stack_config.h"
#include "unwind_table.h"

const volatile struct stack_config stack_config SEC(".rodata.stack") = {};

struct unwind_blocks {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP); /* tables are of any size */
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct unwind_block));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, UNWIND_TABLES);
	__type(key, u32);
	__array(values, struct unwind_blocks);
} unwind_tables SEC(".maps");

/* Processes' executable mappings. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct unwind_page_key);
	__type(value, struct unwind_page);
} unwind_pages SEC(".maps");

/* Forked processes whose mappings are still another's, and whose. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
} unwind_parents SEC(".maps");

/* Processes that met an address in no mapping known, and the address: user space has an event. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u64);
} unwind_wanted SEC(".maps");

/*
 * Changes with every reading of any process's mappings: what threads remember of them is
 * void then. Never 0.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} unwind_generation SEC(".maps");

#endif
