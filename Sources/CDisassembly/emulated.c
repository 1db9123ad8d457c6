// SPDX-License-Identifier: Apache-2.0
// Where a user probe costs one trap: the first instruction of a function that the kernel emulates.
#include "disassembly.h"
#include "disassembler.h"

// How far the start of a function is looked at.
enum { MOST_INSTRUCTIONS = 12 };

// arch/x86/kernel/uprobes.c: push_setup_xol_ops() and branch_setup_xol_ops(), the same
// from 5.10 on. Prefixes but REX.B of a push are refused there or here.
static bool is_emulated(const cs_insn *insn)
{
	const uint8_t *bytes = insn->bytes;

	if (insn->size == 1)
		return (bytes[0] >= 0x50 && bytes[0] <= 0x57) || bytes[0] == 0x90;
	if (insn->size == 2 && bytes[0] == 0x41)
		return bytes[1] >= 0x50 && bytes[1] <= 0x57;
	switch (bytes[0]) {
	case 0xeb: return insn->size == 2;
	case 0xe8:
	case 0xe9: return insn->size == 5;
	case 0x0f: return insn->size == 6 && bytes[1] >= 0x80 && bytes[1] <= 0x8f;
	default: return insn->size == 2 && bytes[0] >= 0x70 && bytes[0] <= 0x7f;
	}
}

// A register that a probe's program reads: arguments, stack and frame pointer, in all widths.
static bool is_precious(uint16_t reg)
{
	switch (reg) {
	case X86_REG_RDI:
	case X86_REG_EDI:
	case X86_REG_DI:
	case X86_REG_DIL:
	case X86_REG_RSI:
	case X86_REG_ESI:
	case X86_REG_SI:
	case X86_REG_SIL:
	case X86_REG_RDX:
	case X86_REG_EDX:
	case X86_REG_DX:
	case X86_REG_DL:
	case X86_REG_DH:
	case X86_REG_RCX:
	case X86_REG_ECX:
	case X86_REG_CX:
	case X86_REG_CL:
	case X86_REG_CH:
	case X86_REG_R8:
	case X86_REG_R8D:
	case X86_REG_R8W:
	case X86_REG_R8B:
	case X86_REG_R9:
	case X86_REG_R9D:
	case X86_REG_R9W:
	case X86_REG_R9B:
	case X86_REG_RSP:
	case X86_REG_ESP:
	case X86_REG_SP:
	case X86_REG_SPL:
	case X86_REG_RBP:
	case X86_REG_EBP:
	case X86_REG_BP:
	case X86_REG_BPL:
	case X86_REG_RIP:
	case X86_REG_EIP:
	case X86_REG_IP: return true;
	default: return false;
	}
}

// May a probe go behind it? Straight on, no memory written, nothing precious changed.
static bool is_harmless(const struct disassembler *disassembler)
{
	const cs_insn *insn = disassembler->insn;
	const cs_x86 *x86 = &insn->detail->x86;

	// capstone calls endbr64 a group-less nop of its own; what it does not know, it does not decode
	for (uint8_t i = 0; i < insn->detail->groups_count; i++)
		switch (insn->detail->groups[i]) {
		case X86_GRP_JUMP:
		case X86_GRP_CALL:
		case X86_GRP_RET:
		case X86_GRP_INT:
		case X86_GRP_IRET:
		case X86_GRP_PRIVILEGE:
		case X86_GRP_BRANCH_RELATIVE: return false;
		}
	switch (insn->id) {
	case X86_INS_TEST:
	case X86_INS_CMP:
	case X86_INS_MOV:
	case X86_INS_MOVZX:
	case X86_INS_MOVSX:
	case X86_INS_MOVSXD:
	case X86_INS_MOVABS:
	case X86_INS_LEA:
	case X86_INS_XOR:
	case X86_INS_AND:
	case X86_INS_OR:
	case X86_INS_ADD:
	case X86_INS_SUB:
	case X86_INS_SHR:
	case X86_INS_SHL:
	case X86_INS_SAR:
	case X86_INS_NOP:
	case X86_INS_ENDBR64:
	case X86_INS_NEG:
	case X86_INS_NOT: break;
	default: return false;
	}
	for (uint8_t i = 0; i < x86->op_count; i++)
		if (x86->operands[i].type == X86_OP_MEM && (x86->operands[i].access & CS_AC_WRITE))
			return false;
	cs_regs written;
	int writes = disassembler_written(disassembler, written);
	for (int i = 0; i < writes; i++)
		if (is_precious(written[i]))
			return false;
	return writes >= 0;
}

// Does any jump of the function lead behind its start, up to `end`? True in doubt:
// a jump through a register or memory, bytes that are no instruction.
static bool may_jump_into(struct disassembler *disassembler, const uint8_t *code, size_t size, size_t end)
{
	const cs_insn *insn = disassembler->insn;
	uint64_t address = 0;
	size_t left = size;
	const uint8_t *at = code;

	while (left > 0) {
		if (!disassembler_next(disassembler, &at, &left, &address))
			return true;
		bool is_jump = cs_insn_group(disassembler->handle, insn, X86_GRP_JUMP);
		if (!is_jump && !cs_insn_group(disassembler->handle, insn, X86_GRP_CALL))
			continue;
		const cs_x86 *x86 = &insn->detail->x86;
		if (x86->op_count != 1 || x86->operands[0].type != X86_OP_IMM) {
			if (is_jump)
				return true;
			continue; // a call comes back behind itself, or begins another function
		}
		uint64_t target = (uint64_t)x86->operands[0].imm;
		if (target > 0 && target <= end)
			return true;
	}
	return false;
}

size_t emulated_instruction(const uint8_t *code, size_t size)
{
	struct disassembler disassembler;
	if (!disassembler_open(&disassembler))
		return 0;
	size_t result = 0, left = size;
	uint64_t address = 0;
	const uint8_t *at = code;
	for (int i = 0; i < MOST_INSTRUCTIONS; i++) {
		if (!disassembler_next(&disassembler, &at, &left, &address))
			break;
		if (is_emulated(disassembler.insn)) {
			result = (size_t)disassembler.insn->address;
			break;
		}
		if (!is_harmless(&disassembler))
			break;
	}
	if (result > 0 && may_jump_into(&disassembler, code, size, result))
		result = 0;
	disassembler_close(&disassembler);
	return result;
}
