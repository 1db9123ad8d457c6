// SPDX-License-Identifier: Apache-2.0
// A frame's call-frame information as one rule of unwind_table.h; what these rules can't say is UNWIND_UNSUPPORTED.
#include "cfi.h"
#include "unwind_table.h"

#include <dwarf.h>
#include <gelf.h>

bool unwind_machine_of(Elf *elf, struct unwind_machine *machine)
{
	GElf_Ehdr header;
	if (!gelf_getehdr(elf, &header))
		return false;
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return false;
	if (header.e_machine == EM_X86_64)
		*machine = (struct unwind_machine){ .fp = 6, .sp = 7, .ra = 16, .x86 = true };
	else if (header.e_machine == EM_AARCH64)
		*machine = (struct unwind_machine){ .fp = 29, .sp = 31, .ra = 30, .x86 = false };
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

// Register + offset, in either of DWARF's spellings.
static bool base_register(const Dwarf_Op *op, int *reg, int64_t *offset)
{
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
		*reg = op->atom - DW_OP_breg0;
		*offset = (int64_t)op->number;
		return true;
	}
	if (op->atom == DW_OP_bregx) {
		*reg = op->number > 1023 ? -1 : (int)op->number;
		*offset = (int64_t)op->number2;
		return true;
	}
	return false;
}

// Linkers describe all of .plt by one expression: rsp + 8 + ((rip & 15) >= n) << 3
static bool is_plt(const Dwarf_Op *ops, size_t count, int64_t *offset, int64_t *threshold)
{
	static const uint8_t shape[] = { DW_OP_breg7, DW_OP_breg16, DW_OP_lit15, DW_OP_and, 0,
					 DW_OP_ge,    DW_OP_lit3,   DW_OP_shl,	 DW_OP_plus };
	if (count != sizeof shape)
		return false;
	for (size_t i = 0; i < count; i++)
		if (shape[i] && ops[i].atom != shape[i])
			return false;
	if (ops[4].atom < DW_OP_lit0 || ops[4].atom > DW_OP_lit31 || ops[1].number != 0)
		return false;
	*offset = (int64_t)ops[0].number;
	*threshold = ops[4].atom - DW_OP_lit0;
	return true;
}

// Where the caller's value of a register is.
enum where { UNDEFINED, SAME, AT_CFA, AT_REGISTER, ELSEWHERE };

static enum where register_rule(Dwarf_Frame *frame, int number, int *reg, int64_t *offset)
{
	Dwarf_Op memory[3], *ops;
	size_t count;
	if (dwarf_frame_register(frame, number, memory, &ops, &count) < 0)
		return ELSEWHERE;
	if (count == 0)
		return ops == memory ? UNDEFINED : SAME;
	*offset = 0;
	if (ops[0].atom == DW_OP_call_frame_cfa) {
		if (count == 1)
			return AT_CFA;
		if (count == 2 && ops[1].atom == DW_OP_plus_uconst) {
			*offset = (int64_t)ops[1].number;
			return AT_CFA;
		}
		// DW_CFA_expression: the frame address is pushed first, and left alone by a register + offset
		return count == 2 && base_register(&ops[1], reg, offset) ? AT_REGISTER : ELSEWHERE;
	}
	return ELSEWHERE;
}

// __restore_rt: the interrupted registers are in the kernel's struct rt_sigframe.
static bool is_signal_frame(const struct unwind_machine *m, const Dwarf_Op *ops, size_t count, Dwarf_Frame *frame)
{
	int reg;
	int64_t offset;
	return m->x86 && count == 2 && ops[1].atom == DW_OP_deref && base_register(&ops[0], &reg, &offset) &&
	       reg == m->sp && offset == UNWIND_SIGNAL_SP &&
	       register_rule(frame, m->ra, &reg, &offset) == AT_REGISTER && reg == m->sp &&
	       offset == UNWIND_SIGNAL_PC && register_rule(frame, m->fp, &reg, &offset) == AT_REGISTER &&
	       reg == m->sp && offset == UNWIND_SIGNAL_FP;
}

uint64_t unwind_frame_rule(const struct unwind_machine *m, Dwarf_Frame *frame, bool signal)
{
	int reg = -1, other = -1;
	int64_t ra = 0, offset = 0, saved = 0, threshold;
	Dwarf_Op *ops;
	size_t count;

	enum where place = register_rule(frame, m->ra, &other, &ra);
	if (place == UNDEFINED)
		return UNWIND_END;
	if (dwarf_frame_cfa(frame, &ops, &count) < 0 || count == 0)
		return UNWIND_UNSUPPORTED;
	if (is_signal_frame(m, ops, count, frame))
		return UNWIND_SIGNAL_FRAME | UNWIND_SIGNAL;

	unsigned cfa, how;
	if (count == 1 && base_register(&ops[0], &reg, &offset) && (reg == m->sp || reg == m->fp)) {
		cfa = reg == m->sp ? UNWIND_SP : UNWIND_FP;
	} else if (count == 2 && ops[1].atom == DW_OP_deref && base_register(&ops[0], &reg, &offset) && reg == m->fp) {
		cfa = UNWIND_FP_DEREF; // a function that aligns its stack keeps where it was
	} else if (m->x86 && is_plt(ops, count, &offset, &threshold)) {
		return rule(UNWIND_PLT, offset, UNWIND_SAME, threshold, signal);
	} else {
		return UNWIND_UNSUPPORTED;
	}

	switch (register_rule(frame, m->fp, &other, &saved)) {
	case UNDEFINED: // a register without a rule: the ABI has it preserved
	case SAME:
		how = UNWIND_SAME;
		saved = 0;
		break;
	case AT_CFA: how = UNWIND_AT_CFA; break;
	case AT_REGISTER:
		if (other != m->fp)
			return UNWIND_UNSUPPORTED;
		how = UNWIND_AT_FP;
		break;
	default: return UNWIND_UNSUPPORTED;
	}
	if (m->x86)
		return place == AT_CFA && ra == -8 ? rule(cfa, offset, how, saved, signal) : UNWIND_UNSUPPORTED;
	// arm64: in its register, or stored with the frame pointer, or stored alone
	if (place == AT_CFA && how == UNWIND_AT_CFA && ra == saved + 8)
		return rule(cfa, offset, how, saved, signal);
	if (place == AT_CFA && how == UNWIND_SAME)
		return rule(cfa, offset, UNWIND_RA_ONLY, ra, signal);
	if (place == SAME && how == UNWIND_SAME)
		return rule(cfa, offset, UNWIND_SAME, 0, signal);
	return UNWIND_UNSUPPORTED;
}
