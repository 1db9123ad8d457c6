// SPDX-License-Identifier: Apache-2.0
// The owner of capstone: x86-64 instructions one after another, with their operands. For other C targets; Swift can't import
// capstone's headers, so the module map leaves this one out.
#ifndef DISASSEMBLER_H
#define DISASSEMBLER_H

#include <capstone/capstone.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disassembler {
	csh handle;
	cs_insn *insn; // the last that was read
};

/// False where capstone can't be had; then there is nothing to close.
bool disassembler_open(struct disassembler *disassembler);
void disassembler_close(struct disassembler *disassembler);

/// Reads the instruction at `*code`, of which `*left` bytes are there, and goes on behind it. False where it is none.
bool disassembler_next(struct disassembler *disassembler, const uint8_t **code, size_t *left, uint64_t *address);

/// The registers that the last instruction writes, implicit ones too; -1 where capstone can't tell.
int disassembler_written(const struct disassembler *disassembler, cs_regs written);

#endif
