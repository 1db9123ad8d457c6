// SPDX-License-Identifier: Apache-2.0
// What x86-64 instructions do to the stack pointer and the frame pointer.
#include "code.h"

static bool is_register(const cs_x86_op *op, x86_reg reg)
{
	return op->type == X86_OP_REG && op->reg == reg;
}

static bool is_based(const cs_x86_op *op, x86_reg reg)
{
	return op->type == X86_OP_MEM && op->mem.base == reg && op->mem.index == X86_REG_INVALID &&
	       op->mem.segment == X86_REG_INVALID && op->mem.disp > -LARGEST_FRAME && op->mem.disp < LARGEST_FRAME;
}

// Which of the two registers the instruction writes; both in doubt.
static void written(const struct disassembler *disassembler, bool *sp, bool *fp)
{
	cs_regs registers;
	int writes = disassembler_written(disassembler, registers);

	*sp = *fp = writes < 0;
	for (int i = 0; i < writes; i++)
		switch (registers[i]) {
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

// What is left to any other instruction: a frame pointer that was saved may become a register like others, and the stack
// pointer may move where a frame pointer tells the frame.
static enum code_next other_effect(const struct disassembler *disassembler, struct code_state *s)
{
	bool sp, fp;
	written(disassembler, &sp, &fp);
	if (fp && !s->saved)
		return FAIL;
	if (fp && s->fp) {
		if (s->sp == UNKNOWN)
			return FAIL;
		s->fp = 0;
	}
	if (sp) {
		if (!s->fp)
			return FAIL;
		s->sp = UNKNOWN;
	}
	return GO_ON;
}

enum code_next unwind_code_effect(const struct disassembler *disassembler, struct code_state *s)
{
	const cs_insn *insn = disassembler->insn;
	const cs_x86 *x86 = &insn->detail->x86;
	const cs_x86_op *to = &x86->operands[0], *from = &x86->operands[1];
	bool two = x86->op_count == 2, known = s->sp != UNKNOWN;

	switch (insn->id) {
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
		*s = (struct code_state){ .sp = s->fp - 8 };
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
				s->sp += insn->id == X86_INS_SUB ? (int32_t)from->imm : -(int32_t)from->imm;
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
	return other_effect(disassembler, s);
}
