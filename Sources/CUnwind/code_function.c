// SPDX-License-Identifier: Apache-2.0
// Follows one function of x86-64 code along all its jumps.
#include "code.h"

#include <string.h>

static bool is_clean(const struct code_state *s)
{
	return s->sp == CLEAN_SP && !s->fp && !s->saved;
}

static bool same(const struct code_state *a, const struct code_state *b)
{
	return a->sp == b->sp && a->fp == b->fp && a->saved == b->saved;
}

bool unwind_code_is_prologue(const struct code_walk *w, size_t at)
{
	static const uint8_t bytes[] = { 0x55, 0x48, 0x89, 0xe5 }; // push %rbp; mov %rsp,%rbp
	return w->size - at >= sizeof bytes && !memcmp(w->code + at, bytes, sizeof bytes);
}

size_t unwind_code_is_start(const struct code_walk *w, size_t at)
{
	static const uint8_t pass[] = { 0x89, 0xc7, 0xe8 }; // mov %eax,%edi; call
	size_t call = at + (w->code[at] == 0x41);

	if (w->size - at < 11 || w->code[call] != 0xff || (w->code[call + 1] & 0xf8) != 0xd0)
		return 0;
	size_t behind = call + 2, end = behind + sizeof pass + 4;
	if (end >= w->size || memcmp(w->code + behind, pass, sizeof pass) || !unwind_code_padding(w, end))
		return 0;
	return behind - at;
}

size_t unwind_code_padding(const struct code_walk *w, size_t at)
{
	const uint8_t *code = w->code + at;
	size_t left = w->size - at, i = 0;

	if (code[0] == 0xcc)
		return 1;
	while (i < left && (code[i] == 0x66 || code[i] == 0x2e || code[i] == 0x48))
		i++;
	if (i < left && code[i] == 0x90)
		return i + 1;
	if (left - i < 3 || code[i] != 0x0f || code[i + 1] != 0x1f)
		return 0;
	static const uint8_t more[8] = { 0, 0, 0, 0, 1, 0, 0, 0 }; // by ModRM: a SIB byte
	uint8_t modrm = code[i + 2], mod = modrm >> 6;
	size_t length = i + 3 + more[modrm & 7] + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
	return length <= left ? length : 0;
}

// A place to go on from, with what is known there.
static bool reach(struct code_walk *w, size_t at, struct code_state state)
{
	struct code_place *place = &w->places[at];

	if (place->function && place->function != w->function) {
		w->returns = true; // by an end that another has
		return same(&place->state, &state);
	}
	if (place->function) {
		if (same(&place->state, &state))
			return true;
		if (place->state.fp != state.fp || place->state.saved != state.saved || !state.fp)
			return false;
		if (place->state.sp == UNKNOWN)
			return true;
		state.sp = UNKNOWN;
	} else {
		w->reached[w->reached_count++] = at;
	}
	place->state = state;
	place->function = w->function;
	w->todo[w->todo_count++] = at;
	return true;
}

// One instruction; where it leads.
static enum code_next step(struct code_walk *w, size_t at, struct code_state *s, size_t *next)
{
	const uint8_t *code = w->code + at;
	size_t left = w->size - at;
	uint64_t address = at;
	const cs_insn *insn = w->disassembler.insn;

	if (w->work == 0)
		return FAIL;
	w->work--;
	if (!disassembler_next(&w->disassembler, &code, &left, &address))
		return FAIL;
	*next = address;
	w->places[at].length = (uint8_t)insn->size;

	const cs_x86 *x86 = &insn->detail->x86;
	bool direct = x86->op_count == 1 && x86->operands[0].type == X86_OP_IMM;
	size_t target = direct ? (size_t)x86->operands[0].imm : SIZE_MAX;

	if (insn->id == X86_INS_RET) {
		w->returns = true;
		return x86->op_count == 0 && is_clean(s) ? END : FAIL;
	}
	if (cs_insn_group(w->disassembler.handle, insn, X86_GRP_CALL)) {
		if (direct && target == *next)
			return FAIL; // a call for its own address: position-independent code of old
		if (s->sp != UNKNOWN && s->sp % 16)
			return FAIL; // the ABI has the stack aligned here: this is no function from its entry, but a part of one
		w->calls = true;
		if (target < w->size)
			w->entries[target] = 1;
		// behind a call that does not return another function begins
		return *next >= w->size || unwind_code_padding(w, *next) || unwind_code_is_prologue(w, *next) ? END
													      : GO_ON;
	}
	if (cs_insn_group(w->disassembler.handle, insn, X86_GRP_JUMP)) {
		bool always = insn->id == X86_INS_JMP;
		if (target < w->size) {
			if (!reach(w, target, *s))
				return FAIL;
		} else if (direct || !s->fp) {
			// a tail call; of a jump by a table the cases are not followed, and none is believed an entry
			if (!is_clean(s))
				return FAIL;
			w->returns = true;
		}
		return always ? END : GO_ON;
	}
	return unwind_code_effect(&w->disassembler, s);
}

bool unwind_code_follow(struct code_walk *w, size_t entry)
{
	w->returns = w->calls = false;
	w->todo_count = w->reached_count = 0;
	if (!reach(w, entry, (struct code_state){ .sp = CLEAN_SP }))
		return false;
	while (w->todo_count) {
		size_t at = w->todo[--w->todo_count], next = at;
		for (;;) {
			struct code_state state = w->places[at].state;
			enum code_next how = step(w, at, &state, &next);
			if (how == FAIL)
				return false;
			if (how == END)
				break;
			if (next >= w->size)
				return false;
			size_t before = w->todo_count;
			if (!reach(w, next, state))
				return false;
			if (w->todo_count == before)
				break; // known
			w->todo_count = before;
			at = next;
		}
	}
	// What calls nothing is in no stack, and its entry is not proven by an aligned one.
	return w->calls && (w->returns || unwind_code_is_prologue(w, entry));
}
