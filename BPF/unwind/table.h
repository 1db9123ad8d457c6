/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The rule of a table, whose format unwind_table.h has: a chunk, a row in it, the rule of that row. */
#ifndef SWIFTMEM_UNWIND_TABLE_LOOKUP_H
#define SWIFTMEM_UNWIND_TABLE_LOOKUP_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "unwind/maps.h"
#include "unwind/verifier.h"

/* The rule at a place of a table's text. */
__noinline u64 unwind_rule(u32 table, u32 offset, u32 rules)
{
	void *blocks = bpf_map_lookup_elem(&unwind_tables, &table);
	u32 chunk = offset >> UNWIND_CHUNK_SHIFT, number = chunk / UNWIND_BLOCK_WORDS;
	u32 within = offset & (UNWIND_CHUNK_BYTES - 1);
	struct unwind_block *block;

	if (!blocks)
		return UNWIND_NONE;
	block = bpf_map_lookup_elem(blocks, &number);
	if (!block)
		return UNWIND_NONE;

	u32 first = block->words[MASKED(chunk, UNWIND_BLOCK_WORDS)];

	number = first / UNWIND_BLOCK_WORDS;
	block = bpf_map_lookup_elem(blocks, &number);
	if (!block)
		return UNWIND_NONE;

	u32 row = block->words[MASKED(first, UNWIND_BLOCK_WORDS)];
	u32 low = 0, high = row & 0xffff;

	for (int i = 0; i < UNWIND_CHUNK_SHIFT + 1; i++) {
		if (high - low < 2 || high > UNWIND_CHUNK_BYTES)
			break;
		u32 middle = (low + high) / 2;
		u32 word = block->words[MASKED(first + middle, UNWIND_BLOCK_WORDS)];

		if ((word & 0xffff) <= within) {
			low = middle;
			row = word;
		} else {
			high = middle;
		}
	}

	u32 rule = row >> 16;

	number = rules + rule / UNWIND_BLOCK_RULES;
	block = bpf_map_lookup_elem(blocks, &number);
	if (!block)
		return UNWIND_NONE;
	u32 *words = &block->words[MASKED(rule, UNWIND_BLOCK_RULES) * 2];

	return words[0] | (u64)words[1] << 32;
}

#endif
