// SPDX-License-Identifier: Apache-2.0
//
// Frames of x86-64 code that no call-frame information speaks of, from the code itself: thunks and accessors that the Swift
// compiler makes, assembly. A function is followed from its entry along all its jumps, and what it does to the stack and the
// frame pointer is added up. It is believed only when everything fits: each place is reached with one state, and each return
// and tail call finds the stack as the entry had it. A guess at an entry that was wrong does not survive that.
#include "CUnwind.h"
#include "unwind_table.h"

#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

// Offsets are distances below the frame address.
struct state {
	int32_t sp; // of the stack pointer; UNKNOWN where it isn't constant
	int32_t fp; // of the frame pointer, when it is one; else 0
	int32_t saved; // of the caller's frame pointer; 0: it is in its register
};

enum { UNKNOWN = -1, CLEAN_SP = 8, LARGEST_FRAME = 1 << 22 };

struct place {
	struct state state;
	uint32_t function; // that reached it; 0: none
	uint8_t length;
};

struct walk {
	csh handle;
	cs_insn *insn;
	const uint8_t *code;
	size_t size;
	struct place *places;
	uint8_t *entries; // called from within
	size_t *todo, *reached; // as large as the code: a place is reached once, or once more with less known
	size_t todo_count, reached_count;
	uint32_t function;
	bool returns, calls;
	size_t work; // instructions that may still be looked at
};

enum next { GO_ON, END, FAIL };

static bool is_clean(const struct state *s)
{
	return s->sp == CLEAN_SP && !s->fp && !s->saved;
}

static bool same(const struct state *a, const struct state *b)
{
	return a->sp == b->sp && a->fp == b->fp && a->saved == b->saved;
}

static bool is_prologue(const struct walk *w, size_t at)
{
	static const uint8_t bytes[] = { 0x55, 0x48, 0x89, 0xe5 }; // push %rbp; mov %rsp,%rbp
	return w->size - at >= sizeof bytes && !memcmp(w->code + at, bytes, sizeof bytes);
}

// Bytes of a no-op at a place; 0: none.
static size_t padding(const struct walk *w, size_t at)
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
static bool reach(struct walk *w, size_t at, struct state state)
{
	struct place *place = &w->places[at];

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

static bool is_register(const cs_x86_op *op, x86_reg reg)
{
	return op->type == X86_OP_REG && op->reg == reg;
}

static bool is_based(const cs_x86_op *op, x86_reg reg)
{
	return op->type == X86_OP_MEM && op->mem.base == reg && op->mem.index == X86_REG_INVALID &&
	       op->mem.segment == X86_REG_INVALID && op->mem.disp > -LARGEST_FRAME && op->mem.disp < LARGEST_FRAME;
}

static void written(const struct walk *w, bool *sp, bool *fp)
{
	cs_regs read, wrote;
	uint8_t reads, writes;

	*sp = *fp = false;
	if (cs_regs_access(w->handle, w->insn, read, &reads, wrote, &writes) != CS_ERR_OK) {
		*sp = *fp = true;
		return;
	}
	for (uint8_t i = 0; i < writes; i++)
		switch (wrote[i]) {
		case X86_REG_RSP:
		case X86_REG_ESP:
		case X86_REG_SP:
		case X86_REG_SPL: *sp = true; break;
		case X86_REG_RBP:
		case X86_REG_EBP:
		case X86_REG_BP:
		case X86_REG_BPL: *fp = true; break;
		default: break;
		}
}

// What any instruction does to the two registers.
static enum next apply(const struct walk *w, struct state *s)
{
	const cs_x86 *x86 = &w->insn->detail->x86;
	const cs_x86_op *to = &x86->operands[0], *from = &x86->operands[1];
	bool two = x86->op_count == 2, known = s->sp != UNKNOWN;

	switch (w->insn->id) {
	case X86_INS_PUSH:
		if (x86->op_count != 1 || to->size != 8 || is_register(to, X86_REG_RSP))
			return FAIL;
		if (!known)
			return GO_ON;
		s->sp += 8;
		if (is_register(to, X86_REG_RBP) && !s->saved)
			s->saved = s->sp;
		return s->sp < LARGEST_FRAME ? GO_ON : FAIL;
	case X86_INS_POP:
		if (x86->op_count != 1 || to->size != 8 || is_register(to, X86_REG_RSP))
			return FAIL;
		if (is_register(to, X86_REG_RBP)) {
			if (!known || !s->saved || s->sp != s->saved)
				return FAIL;
			s->saved = s->fp = 0;
		}
		if (!known)
			return GO_ON;
		s->sp -= 8;
		return s->sp >= CLEAN_SP ? GO_ON : FAIL;
	case X86_INS_LEAVE:
		if (!s->fp || s->fp != s->saved)
			return FAIL;
		*s = (struct state){ .sp = s->fp - 8 };
		return GO_ON;
	case X86_INS_MOV:
		if (two && is_register(to, X86_REG_RBP) && is_register(from, X86_REG_RSP) && known && s->saved) {
			s->fp = s->sp;
			return GO_ON;
		}
		if (two && is_register(to, X86_REG_RSP) && is_register(from, X86_REG_RBP) && s->fp) {
			s->sp = s->fp;
			return GO_ON;
		}
		break;
	case X86_INS_LEA:
		if (two && is_register(to, X86_REG_RSP) && is_based(from, X86_REG_RBP) && s->fp) {
			s->sp = s->fp - (int32_t)from->mem.disp;
			return s->sp >= CLEAN_SP ? GO_ON : FAIL;
		}
		if (two && is_register(to, X86_REG_RSP) && is_based(from, X86_REG_RSP) && known) {
			s->sp -= (int32_t)from->mem.disp;
			return s->sp >= CLEAN_SP && s->sp < LARGEST_FRAME ? GO_ON : FAIL;
		}
		if (two && is_register(to, X86_REG_RBP) && is_based(from, X86_REG_RSP) && known && s->saved &&
		    s->sp > from->mem.disp) {
			s->fp = s->sp - (int32_t)from->mem.disp;
			return GO_ON;
		}
		break;
	case X86_INS_ADD:
	case X86_INS_SUB:
		if (two && is_register(to, X86_REG_RSP) && from->type == X86_OP_IMM && from->imm > -LARGEST_FRAME &&
		    from->imm < LARGEST_FRAME) {
			if (known)
				s->sp += w->insn->id == X86_INS_SUB ? (int32_t)from->imm : -(int32_t)from->imm;
			return !known || (s->sp >= CLEAN_SP && s->sp < LARGEST_FRAME) ? GO_ON : FAIL;
		}
		break;
	case X86_INS_BTR:
		// Swift's async functions take their mark off the caller's frame pointer, which has none where nobody sets it
		if (two && is_register(to, X86_REG_RBP) && from->type == X86_OP_IMM && from->imm == 60 && !s->fp &&
		    !s->saved)
			return GO_ON;
		break;
	case X86_INS_UD2:
	case X86_INS_INT3:
	case X86_INS_HLT: return END;
	case X86_INS_ENTER:
	case X86_INS_IRET:
	case X86_INS_IRETD:
	case X86_INS_IRETQ:
	case X86_INS_RETF:
	case X86_INS_RETFQ:
	case X86_INS_XBEGIN:
	case X86_INS_PUSHF:
	case X86_INS_PUSHFD:
	case X86_INS_POPF:
	case X86_INS_POPFD: return FAIL;
	default: break;
	}
	bool sp, fp;
	written(w, &sp, &fp);
	if (fp && !s->saved)
		return FAIL;
	if (fp && s->fp) {
		if (!known)
			return FAIL;
		s->fp = 0; // a register like others again
	}
	if (sp) {
		if (!s->fp)
			return FAIL;
		s->sp = UNKNOWN;
	}
	return GO_ON;
}

// One instruction; where it leads.
static enum next step(struct walk *w, size_t at, struct state *s, size_t *next)
{
	const uint8_t *code = w->code + at;
	size_t left = w->size - at;
	uint64_t address = at;

	if (w->work == 0)
		return FAIL;
	w->work--;
	if (!cs_disasm_iter(w->handle, &code, &left, &address, w->insn))
		return FAIL;
	*next = address;
	w->places[at].length = (uint8_t)w->insn->size;

	const cs_x86 *x86 = &w->insn->detail->x86;
	bool direct = x86->op_count == 1 && x86->operands[0].type == X86_OP_IMM;
	size_t target = direct ? (size_t)x86->operands[0].imm : SIZE_MAX;

	if (w->insn->id == X86_INS_RET) {
		w->returns = true;
		return x86->op_count == 0 && is_clean(s) ? END : FAIL;
	}
	if (cs_insn_group(w->handle, w->insn, X86_GRP_CALL)) {
		if (direct && target == *next)
			return FAIL; // a call for its own address: position-independent code of old
		if (s->sp != UNKNOWN && s->sp % 16)
			return FAIL; // the ABI has the stack aligned here: this is no function from its entry, but a part of one
		w->calls = true;
		if (target < w->size)
			w->entries[target] = 1;
		// behind a call that does not return another function begins
		return *next >= w->size || padding(w, *next) || is_prologue(w, *next) ? END : GO_ON;
	}
	if (cs_insn_group(w->handle, w->insn, X86_GRP_JUMP)) {
		bool always = w->insn->id == X86_INS_JMP;
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
	return apply(w, s);
}

// Follows a function from its entry; whether all of it fits.
static bool follow(struct walk *w, size_t entry)
{
	w->returns = w->calls = false;
	w->todo_count = w->reached_count = 0;
	if (!reach(w, entry, (struct state){ .sp = CLEAN_SP }))
		return false;
	while (w->todo_count) {
		size_t at = w->todo[--w->todo_count], next = at;
		for (;;) {
			struct state state = w->places[at].state;
			enum next how = step(w, at, &state, &next);
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
	return w->calls && (w->returns || is_prologue(w, entry));
}

static void forget(struct walk *w)
{
	for (size_t i = 0; i < w->reached_count; i++)
		w->places[w->reached[i]] = (struct place){ 0 };
}

static uint64_t rule_of(const struct state *s)
{
	return UNWIND_RULE(s->fp ? UNWIND_FP : UNWIND_SP, s->fp ? s->fp : s->sp, s->saved ? UNWIND_AT_CFA : UNWIND_SAME,
			   -(int64_t)s->saved);
}

static size_t rows_of(const struct walk *w, uint64_t address, struct code_row *rows, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < w->size;) {
		const struct place *place = &w->places[i];
		if (!place->function || !place->length) {
			i++;
			continue;
		}
		uint64_t rule = rule_of(&place->state);
		if (count && rows[count - 1].end == address + i && rows[count - 1].rule == rule)
			rows[count - 1].end += place->length;
		else if (count < room)
			rows[count++] = (struct code_row){ address + i, address + i + place->length, rule };
		else
			break;
		i += place->length;
	}
	return count;
}

// A function may begin at the start, and behind the end of another.
static void functions_of(struct walk *w, uint64_t address)
{
	bool first = true, behind = true;

	for (size_t at = 0; at < w->size;) {
		const struct place *place = &w->places[at];
		size_t none;
		if (place->function && place->length) {
			at += place->length;
			behind = true;
			first = false;
			continue;
		}
		if ((none = padding(w, at))) {
			at += none;
			behind = true;
			continue;
		}
		if (first || w->entries[at] || (behind && ((address + at) % 16 == 0 || is_prologue(w, at)))) {
			first = false;
			w->function++;
			if (follow(w, at))
				continue;
			forget(w);
		}
		behind = false;
		at++;
	}
}

size_t code_frames(const struct code_stretch *stretches, size_t count, struct code_row *rows, size_t room)
{
	struct walk w = { 0 };
	size_t found = 0, largest = 0;

	for (size_t i = 0; i < count; i++)
		if (stretches[i].size > largest)
			largest = stretches[i].size;
	if (!largest || largest > LARGEST_STRETCH || cs_open(CS_ARCH_X86, CS_MODE_64, &w.handle) != CS_ERR_OK)
		return 0;
	w.insn = cs_option(w.handle, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK ? cs_malloc(w.handle) : NULL;
	w.places = malloc(largest * sizeof *w.places);
	w.entries = malloc(largest);
	w.todo = malloc(largest * 2 * sizeof *w.todo);
	w.reached = malloc(largest * sizeof *w.reached);
	for (size_t i = 0; w.insn && w.places && w.entries && w.todo && w.reached && i < count; i++) {
		w.code = stretches[i].code;
		w.size = stretches[i].size;
		w.work = w.size * 4;
		w.function = 0;
		memset(w.places, 0, w.size * sizeof *w.places);
		memset(w.entries, 0, w.size);
		functions_of(&w, stretches[i].address);
		found += rows_of(&w, stretches[i].address, rows + found, room - found);
	}
	if (w.insn)
		cs_free(w.insn, 1);
	free(w.reached);
	free(w.todo);
	free(w.entries);
	free(w.places);
	cs_close(&w.handle);
	return found;
}
