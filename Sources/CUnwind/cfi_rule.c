// SPDX-License-Identifier: Apache-2.0
// A frame's call-frame information as one rule of unwind_table.h; what these rules can't say is UNWIND_UNSUPPORTED.
#include "cfi.h"
#include "unwind_table.h"

#include <dwarf.h>
#include <gelf.h>
#include <string.h>

bool cfi_machine_of(Elf *elf, struct cfi_machine *machine)
{
	GElf_Ehdr header;
	if (!gelf_getehdr(elf, &header))
		return false;
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return false;
	if (header.e_machine == EM_X86_64)
		*machine = (struct cfi_machine){ .fp = 6, .sp = 7, .ra = 16, .x86 = true };
	else if (header.e_machine == EM_AARCH64)
		*machine = (struct cfi_machine){ .fp = 29, .sp = 31, .ra = 30, .x86 = false };
	else
		return false;
	return true;
}

static bool fits(int64_t offset)
{
	return offset >= -(1 << 23) && offset < 1 << 23;
}

static uint64_t rule(unsigned cfa, int64_t offset, unsigned saved, int64_t saved_offset, bool signal)
{
	if (!fits(offset) || !fits(saved_offset))
		return UNWIND_UNSUPPORTED;
	return cfa | saved << 4 | (signal ? UNWIND_SIGNAL : 0) | ((uint64_t)offset & 0xffffff) << 16 |
	       (uint64_t)saved_offset << 40;
}

bool cfi_base_register(struct cfi_bytes *expression, uint64_t *reg, int64_t *offset)
{
	if (expression->at == expression->end)
		return false;
	uint8_t atom = *expression->at++;
	if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
		*reg = atom - DW_OP_breg0;
	else if (atom != DW_OP_bregx || !cfi_unsigned(expression, reg))
		return false;
	return cfi_signed(expression, offset);
}

// What stands behind the register + offset of an expression.
static bool is_rest(struct cfi_bytes rest, const char *bytes, size_t count)
{
	return (size_t)(rest.end - rest.at) == count && !memcmp(rest.at, bytes, count);
}

// Linkers describe all of .plt by one expression: rsp + 8 + ((rip & 15) >= n) << 3
static bool is_plt(struct cfi_bytes rest, int64_t *threshold)
{
	static const uint8_t shape[] = { DW_OP_breg16, 0,	   DW_OP_lit15, DW_OP_and, 0,
					 DW_OP_ge,     DW_OP_lit3, DW_OP_shl,	DW_OP_plus };
	if ((size_t)(rest.end - rest.at) != sizeof shape)
		return false;
	for (size_t i = 0; i < sizeof shape; i++)
		if (i != 4 && rest.at[i] != shape[i])
			return false;
	*threshold = rest.at[4] - DW_OP_lit0;
	return *threshold >= 0 && *threshold <= 31;
}

static bool is_at(const struct cfi_saved *saved, uint64_t reg, int64_t offset)
{
	return saved->where == CFI_AT_REGISTER && saved->reg == reg && saved->offset == offset;
}

// The frame address as a rule has it. `threshold`: of UNWIND_PLT alone.
static bool frame_address(const struct cfi_machine *m, const struct cfi_frame *frame, unsigned *how, int64_t *offset,
			  int64_t *threshold)
{
	const uint64_t fp = (uint64_t)m->fp, sp = (uint64_t)m->sp;
	uint64_t reg = frame->reg;
	struct cfi_bytes rest = { 0 };

	*offset = frame->offset;
	if (frame->kind == CFI_NO_CFA)
		return false;
	if (frame->kind == CFI_EXPRESSION) {
		rest = frame->expression;
		if (!cfi_base_register(&rest, &reg, offset))
			return false;
	}
	if (rest.at == rest.end && (reg == sp || reg == fp)) {
		*how = reg == sp ? UNWIND_SP : UNWIND_FP;
		return true;
	}
	static const char deref[] = { DW_OP_deref };
	if (reg == fp && is_rest(rest, deref, 1)) {
		*how = UNWIND_FP_DEREF; // a function that aligns its stack keeps where it was
		return true;
	}
	if (m->x86 && reg == sp && is_rest(rest, deref, 1) && *offset == UNWIND_SIGNAL_SP &&
	    is_at(&frame->ra, sp, UNWIND_SIGNAL_PC) && is_at(&frame->fp, sp, UNWIND_SIGNAL_FP)) {
		*how = UNWIND_SIGNAL_FRAME; // __restore_rt: the interrupted registers are in the kernel's struct rt_sigframe
		return true;
	}
	*how = UNWIND_PLT;
	return m->x86 && reg == sp && is_plt(rest, threshold);
}

uint64_t cfi_rule(const struct cfi_machine *m, const struct cfi_frame *frame, bool signal)
{
	const struct cfi_saved *fp = &frame->fp, *ra = &frame->ra;
	unsigned cfa, how;
	int64_t offset, saved = 0, threshold = 0;

	if (ra->where == CFI_UNDEFINED)
		return UNWIND_END;
	if (!frame_address(m, frame, &cfa, &offset, &threshold))
		return UNWIND_UNSUPPORTED;
	if (cfa == UNWIND_SIGNAL_FRAME)
		return UNWIND_SIGNAL_FRAME | UNWIND_SIGNAL;
	if (cfa == UNWIND_PLT)
		return rule(UNWIND_PLT, offset, UNWIND_SAME, threshold, signal);

	switch (fp->where) {
	case CFI_UNDEFINED: // a register without a rule: the ABI has it preserved
	case CFI_SAME: how = UNWIND_SAME; break;
	case CFI_AT_CFA:
		how = UNWIND_AT_CFA;
		saved = fp->offset;
		break;
	case CFI_AT_REGISTER:
		if (fp->reg != (uint64_t)m->fp)
			return UNWIND_UNSUPPORTED;
		how = UNWIND_AT_FP;
		saved = fp->offset;
		break;
	default: return UNWIND_UNSUPPORTED;
	}
	bool at_cfa = ra->where == CFI_AT_CFA;
	if (m->x86)
		return at_cfa && ra->offset == -8 ? rule(cfa, offset, how, saved, signal) : UNWIND_UNSUPPORTED;
	// arm64: in its register, or stored with the frame pointer, or stored alone
	if (at_cfa && how == UNWIND_AT_CFA && ra->offset == saved + 8)
		return rule(cfa, offset, how, saved, signal);
	if (at_cfa && how == UNWIND_SAME)
		return rule(cfa, offset, UNWIND_RA_ONLY, ra->offset, signal);
	if (ra->where == CFI_SAME && how == UNWIND_SAME)
		return rule(cfa, offset, UNWIND_SAME, 0, signal);
	return UNWIND_UNSUPPORTED;
}
