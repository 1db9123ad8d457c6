// SPDX-License-Identifier: Apache-2.0
// Runs call-frame instructions (DWARF 5, 6.4.2; the Linux Standard Base's .eh_frame), each once. Registers are kept
// only where a frame is unwound by them, so that no instruction makes memory grow.
#include "cfi.h"
#include "unwind_table.h"

#include <dwarf.h>

enum { DEEPEST = 32 }; // states remembered; compilers nest two or three

struct program {
	struct cfi_run *run;
	const struct cfi_common *common;
	bool is_function;
	struct cfi_bytes bytes;
	struct cfi_frame frame, remembered[DEEPEST];
	unsigned depth;
	uint64_t at, end; // of the function
};

static bool append(struct program *p, uint64_t until)
{
	struct cfi_run *run = p->run;
	uint64_t end = until < p->end ? until : p->end;
	if (end <= p->at)
		return true;
	uint64_t rule =
		p->common->returns ? cfi_rule(&run->machine, &p->frame, p->common->is_signal) : UNWIND_UNSUPPORTED;
	struct unwind_row *last = run->rows.count ? (struct unwind_row *)run->rows.items + run->rows.count - 1 : NULL;
	if (last && last->end == p->at && last->rule == rule) {
		last->end = end;
	} else {
		struct unwind_row *row = unwind_append(&run->rows, sizeof *row, run->limits->rows);
		if (!row) {
			run->status = UNWIND_CFI_TOO_MANY;
			return false;
		}
		*row = (struct unwind_row){ p->at, end, rule };
	}
	p->at = end;
	return true;
}

// The code goes on at another place: what is known holds up to there.
static bool advance(struct program *p, uint64_t to)
{
	return p->is_function && to >= p->at && append(p, to);
}

static bool advance_by(struct program *p, uint64_t units)
{
	uint64_t bytes, to;
	return !__builtin_mul_overflow(units, p->common->code_alignment, &bytes) &&
	       !__builtin_add_overflow(p->at, bytes, &to) && advance(p, to);
}

static struct cfi_saved *saved(struct program *p, struct cfi_frame *frame, uint64_t reg)
{
	if (reg == (uint64_t)p->run->machine.fp)
		return &frame->fp;
	return reg == (uint64_t)p->run->machine.ra ? &frame->ra : NULL;
}

static bool set(struct program *p, uint64_t reg, enum cfi_where where, int64_t offset)
{
	struct cfi_saved *place = saved(p, &p->frame, reg);
	if (place)
		*place = (struct cfi_saved){ .where = where, .offset = offset };
	return true;
}

static int64_t scaled(const struct program *p, int64_t offset)
{
	return (int64_t)((uint64_t)offset * (uint64_t)p->common->data_alignment);
}

static bool restore(struct program *p, uint64_t reg)
{
	const struct cfi_saved *initial = saved(p, (struct cfi_frame *)&p->common->initial, reg);
	if (initial)
		*saved(p, &p->frame, reg) = *initial;
	return p->is_function;
}

static bool define(struct program *p, uint64_t reg, int64_t offset)
{
	p->frame.kind = CFI_REGISTER;
	p->frame.reg = reg;
	p->frame.offset = offset;
	return true;
}

// A change of one half of the frame address makes no sense where it is no register + offset.
static struct cfi_frame *defined(struct program *p)
{
	if (p->frame.kind != CFI_REGISTER)
		p->frame.kind = CFI_NO_CFA;
	return &p->frame;
}

static bool block(struct program *p, struct cfi_bytes *expression)
{
	uint64_t length;
	if (!cfi_unsigned(&p->bytes, &length) || length > (uint64_t)(p->bytes.end - p->bytes.at))
		return false;
	*expression = (struct cfi_bytes){ p->bytes.at, p->bytes.at + length };
	p->bytes.at += length;
	return true;
}

static bool expression(struct program *p, uint64_t reg, bool is_value)
{
	struct cfi_bytes bytes;
	struct cfi_saved found = { .where = CFI_AT_REGISTER };
	if (!block(p, &bytes))
		return false;
	struct cfi_saved *place = saved(p, &p->frame, reg);
	if (!place)
		return true;
	if (is_value || !cfi_base_register(&bytes, &found.reg, &found.offset) || bytes.at != bytes.end)
		found = (struct cfi_saved){ .where = CFI_ELSEWHERE };
	*place = found;
	return true;
}

static bool remember(struct program *p)
{
	if (p->depth == DEEPEST)
		return false;
	p->remembered[p->depth++] = p->frame;
	return true;
}

static bool recall(struct program *p)
{
	if (!p->depth)
		return false;
	p->frame = p->remembered[--p->depth];
	return true;
}

// An instruction of the second table: its operands follow.
static bool extended(struct program *p, uint8_t opcode)
{
	struct cfi_bytes *b = &p->bytes;
	uint64_t reg = 0, number = 0, here;
	int64_t offset = 0;

	switch (opcode) {
	case DW_CFA_nop: return true;
	case DW_CFA_set_loc:
		here = p->run->section.address + (uint64_t)(b->at - (const uint8_t *)p->run->section.data->d_buf);
		return cfi_pointer(b, p->common->encoding, here, &number) && advance(p, number);
	case DW_CFA_advance_loc1: return cfi_fixed(b, 1, &number) && advance_by(p, number);
	case DW_CFA_advance_loc2: return cfi_fixed(b, 2, &number) && advance_by(p, number);
	case DW_CFA_advance_loc4: return cfi_fixed(b, 4, &number) && advance_by(p, number);
	case DW_CFA_remember_state: return remember(p);
	case DW_CFA_restore_state: return recall(p);
	case DW_CFA_def_cfa_offset:
		if (!cfi_unsigned(b, &number))
			return false;
		defined(p)->offset = (int64_t)number;
		return true;
	case DW_CFA_def_cfa_offset_sf:
		if (!cfi_signed(b, &offset))
			return false;
		defined(p)->offset = scaled(p, offset);
		return true;
	case DW_CFA_def_cfa_expression: p->frame.kind = CFI_EXPRESSION; return block(p, &p->frame.expression);
	case DW_CFA_GNU_args_size: return cfi_unsigned(b, &number);
	case DW_CFA_GNU_window_save: return !p->run->machine.x86; // arm64: the return address is signed from here on
	default: break;
	}
	if (!cfi_unsigned(b, &reg))
		return false;
	switch (opcode) {
	case DW_CFA_restore_extended: return restore(p, reg);
	case DW_CFA_undefined: return set(p, reg, CFI_UNDEFINED, 0);
	case DW_CFA_same_value: return set(p, reg, CFI_SAME, 0);
	case DW_CFA_def_cfa_register: defined(p)->reg = reg; return true;
	case DW_CFA_def_cfa: return cfi_unsigned(b, &number) && define(p, reg, (int64_t)number);
	case DW_CFA_def_cfa_sf: return cfi_signed(b, &offset) && define(p, reg, scaled(p, offset));
	case DW_CFA_offset_extended:
		return cfi_unsigned(b, &number) && set(p, reg, CFI_AT_CFA, scaled(p, (int64_t)number));
	case DW_CFA_offset_extended_sf: return cfi_signed(b, &offset) && set(p, reg, CFI_AT_CFA, scaled(p, offset));
	case DW_CFA_GNU_negative_offset_extended:
		return cfi_unsigned(b, &number) && set(p, reg, CFI_AT_CFA, scaled(p, (int64_t)-number));
	case DW_CFA_register:
	case DW_CFA_val_offset: return cfi_unsigned(b, &number) && set(p, reg, CFI_ELSEWHERE, 0);
	case DW_CFA_val_offset_sf: return cfi_signed(b, &offset) && set(p, reg, CFI_ELSEWHERE, 0);
	case DW_CFA_expression: return expression(p, reg, false);
	case DW_CFA_val_expression: return expression(p, reg, true);
	default: return false;
	}
}

// Whether all of it makes sense, and there was time for it.
static bool run(struct program *p)
{
	uint64_t number;

	while (p->bytes.at < p->bytes.end) {
		uint8_t opcode = *p->bytes.at++, operand = opcode & 0x3f;
		bool fits;
		if (!cfi_step(p->run))
			return false;
		switch (opcode & 0xc0) {
		case DW_CFA_advance_loc: fits = advance_by(p, operand); break;
		case DW_CFA_offset:
			fits = cfi_unsigned(&p->bytes, &number) &&
			       set(p, operand, CFI_AT_CFA, scaled(p, (int64_t)number));
			break;
		case DW_CFA_restore: fits = restore(p, operand); break;
		default: fits = extended(p, opcode);
		}
		if (!fits)
			return false;
	}
	return true;
}

bool cfi_run_common(struct cfi_run *owner, struct cfi_common *common, struct cfi_bytes instructions)
{
	// what the ABIs have preserved, until an instruction says otherwise
	struct program p = { .run = owner, .common = common, .bytes = instructions };
	p.frame.fp.where = p.frame.ra.where = CFI_SAME;
	if (!run(&p))
		return false;
	common->initial = p.frame;
	return true;
}

void cfi_run_function(struct cfi_run *owner, const struct cfi_common *common, struct cfi_bytes instructions,
		      uint64_t start, uint64_t end)
{
	struct program p = {
		.run = owner, .common = common, .is_function = true, .bytes = instructions, .at = start, .end = end
	};
	p.frame = common->initial;
	if (run(&p))
		append(&p, end);
	else if (owner->status == UNWIND_CFI_OK)
		owner->unreadable++;
}
