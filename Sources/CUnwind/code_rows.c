// SPDX-License-Identifier: Apache-2.0
// Rows of x86-64 code that has no call-frame information.
#include "code.h"
#include "unwind_table.h"

#include <stdlib.h>
#include <string.h>

// Takes back what a function that does not fit has left.
static void forget(struct code_walk *w)
{
	for (size_t i = 0; i < w->reached_count; i++)
		w->places[w->reached[i]] = (struct code_place){ 0 };
}

// A state as a rule.
static uint64_t rule_of(const struct code_state *s)
{
	if (s->ends)
		return UNWIND_RULE(UNWIND_END, 0, UNWIND_SAME, 0);
	return UNWIND_RULE(s->fp ? UNWIND_FP : UNWIND_SP, s->fp ? s->fp : s->sp, s->saved ? UNWIND_AT_CFA : UNWIND_SAME,
			   -(int64_t)s->saved);
}

static size_t rows_of(const struct code_walk *w, uint64_t address, struct unwind_row *rows, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < w->size;) {
		const struct code_place *place = &w->places[i];
		if (!place->function || !place->length) {
			i++;
			continue;
		}
		uint64_t rule = rule_of(&place->state);
		if (count && rows[count - 1].end == address + i && rows[count - 1].rule == rule)
			rows[count - 1].end += place->length;
		else if (count < room)
			rows[count++] = (struct unwind_row){ address + i, address + i + place->length, rule };
		else
			break;
		i += place->length;
	}
	return count;
}

// Looks for functions: one may begin at the start, where another calls, and behind the end of another.
static void find_functions(struct code_walk *w, uint64_t address)
{
	bool first = true, behind = true;

	for (size_t at = 0; at < w->size;) {
		const struct code_place *place = &w->places[at];
		size_t none;
		if (place->function && place->length) {
			at += place->length;
			behind = true;
			first = false;
			continue;
		}
		if ((none = unwind_code_padding(w, at))) {
			at += none;
			behind = true;
			continue;
		}
		if (first || w->entries[at] ||
		    (behind && ((address + at) % 16 == 0 || unwind_code_is_prologue(w, at)))) {
			first = false;
			w->function++;
			if (unwind_code_follow(w, at))
				continue;
			forget(w);
		}
		behind = false;
		at++;
	}
}

// Marks where the C library calls main, in code that no function was found in.
static void find_start(struct code_walk *w)
{
	for (size_t at = 0; at + 16 <= w->size; at++) {
		size_t length = w->places[at].function ? 0 : unwind_code_is_start(w, at);
		if (length)
			w->places[at] =
				(struct code_place){ .state = { .ends = true }, .function = 1, .length = length };
	}
}

static bool allocate(struct code_walk *w, size_t largest)
{
	w->places = malloc(largest * sizeof *w->places);
	w->entries = malloc(largest);
	w->todo = malloc(largest * 2 * sizeof *w->todo);
	w->reached = malloc(largest * sizeof *w->reached);
	return w->places && w->entries && w->todo && w->reached;
}

static void release(struct code_walk *w)
{
	free(w->reached);
	free(w->todo);
	free(w->entries);
	free(w->places);
}

size_t unwind_code_rows(const struct unwind_code *pieces, size_t count, struct unwind_row *rows, size_t room)
{
	struct code_walk w = { 0 };
	size_t found = 0, largest = 0;

	for (size_t i = 0; i < count; i++)
		if (pieces[i].size > largest)
			largest = pieces[i].size;
	if (!largest || largest > UNWIND_LARGEST_CODE || !disassembler_open(&w.disassembler))
		return 0;
	bool has_room = allocate(&w, largest);
	for (size_t i = 0; has_room && i < count; i++) {
		w.code = pieces[i].bytes;
		w.size = pieces[i].size;
		w.work = w.size * 4;
		w.function = 0;
		memset(w.places, 0, w.size * sizeof *w.places);
		memset(w.entries, 0, w.size);
		find_functions(&w, pieces[i].address);
		find_start(&w);
		found += rows_of(&w, pieces[i].address, rows + found, room - found);
	}
	release(&w);
	disassembler_close(&w.disassembler);
	return found;
}
