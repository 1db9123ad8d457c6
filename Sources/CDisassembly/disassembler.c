// SPDX-License-Identifier: Apache-2.0
#include "disassembler.h"

bool disassembler_open(struct disassembler *disassembler)
{
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &disassembler->handle) != CS_ERR_OK)
		return false;
	disassembler->insn = cs_option(disassembler->handle, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK
				     ? cs_malloc(disassembler->handle)
				     : NULL;
	if (disassembler->insn)
		return true;
	cs_close(&disassembler->handle);
	return false;
}

void disassembler_close(struct disassembler *disassembler)
{
	cs_free(disassembler->insn, 1);
	cs_close(&disassembler->handle);
}

bool disassembler_next(struct disassembler *disassembler, const uint8_t **code, size_t *left, uint64_t *address)
{
	return cs_disasm_iter(disassembler->handle, code, left, address, disassembler->insn);
}

int disassembler_written(const struct disassembler *disassembler, cs_regs written)
{
	cs_regs read;
	uint8_t reads, writes;
	if (cs_regs_access(disassembler->handle, disassembler->insn, read, &reads, written, &writes) != CS_ERR_OK)
		return -1;
	return writes;
}
