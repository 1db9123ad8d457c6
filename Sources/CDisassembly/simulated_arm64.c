// SPDX-License-Identifier: Apache-2.0
// Where a user probe costs one trap on arm64: the first instruction of a function that the kernel simulates.
#include "disassembly.h"

#include <stdbool.h>
#include <string.h>

// How far the start of a function is looked at.
enum { MOST_INSTRUCTIONS = 12 };

static uint32_t instruction_at(const uint8_t *code, size_t at)
{
	uint32_t word;
	memcpy(&word, code + at, sizeof word);
	return word;
}

// A field of an instruction, as a signed number.
static int64_t field(uint32_t word, unsigned low, unsigned bits)
{
	return (int64_t)((uint64_t)word << (64 - low - bits)) >> (64 - bits);
}

// How far a direct jump leads, in bytes; false where it is none. A call comes back behind itself.
static bool is_direct_jump(uint32_t word, int64_t *distance)
{
	if ((word & 0xfc000000) == 0x14000000) // b
		*distance = field(word, 0, 26) * 4;
	else if ((word & 0xff000000) == 0x54000000) // b.cond, bc.cond
		*distance = field(word, 5, 19) * 4;
	else if ((word & 0x7e000000) == 0x34000000) // cbz, cbnz
		*distance = field(word, 5, 19) * 4;
	else if ((word & 0x7e000000) == 0x36000000) // tbz, tbnz
		*distance = field(word, 5, 14) * 4;
	else
		return false;
	return true;
}

// arch/arm64/kernel/probes/decode-insn.c, arm_probe_decode_insn(): what runs in no slot, the same from 5.10 on. A no-op
// does since 6.13 alone (ac4ad5c09b34), and is not waited for: what it stands before may be better on every kernel.
static bool is_simulated(uint32_t word)
{
	int64_t distance;

	return (is_direct_jump(word, &distance) && (word & 0xff000010) != 0x54000010) // bc.cond is not
	       || (word & 0xfc000000) == 0x94000000 // bl
	       || (word & 0x1f000000) == 0x10000000; // adr, adrp
}

// May a probe go behind it? Straight on, no memory, only x9 to x17 changed, which hold nothing at an entry.
static bool is_harmless(uint32_t word)
{
	uint32_t to = word & 31;
	bool scratch = to >= 9 && to <= 17;

	if (word == 0xd503201f || (word & 0xffffff3f) == 0xd503241f) // nop; bti
		return true;
	if ((word & 0x1f000000) == 0x11000000 ||
	    (word & 0x1f800000) == 0x12000000) // add, sub, and, orr, … of a constant
		return scratch || (to == 31 && (word & 0x60000000) == 0x60000000); // cmp and tst change flags alone
	if ((word & 0x1f800000) == 0x12800000 || (word & 0x1f800000) == 0x13000000) // mov of a constant; bit fields
		return scratch;
	if ((word & 0x1f000000) == 0x0a000000 || (word & 0x1f000000) == 0x0b000000) // the same of registers
		return scratch || (to == 31 && (word & 0x60000000) == 0x60000000);
	return false;
}

// Does any jump of the function lead behind its start, up to `end`? True in doubt: a jump through a register.
static bool may_jump_into(const uint8_t *code, size_t size, size_t end)
{
	for (size_t at = 0; at + 4 <= size; at += 4) {
		uint32_t word = instruction_at(code, at);
		int64_t distance;

		if ((word & 0xfffff000) == 0xd61f0000 || (word & 0xfffff000) == 0xd71f0000) // br, braa
			return true;
		if (is_direct_jump(word, &distance) && (int64_t)at + distance > 0 &&
		    (int64_t)at + distance <= (int64_t)end)
			return true;
	}
	return false;
}

size_t simulated_instruction(const uint8_t *code, size_t size)
{
	for (size_t at = 0; at + 4 <= size && at < 4 * MOST_INSTRUCTIONS; at += 4) {
		uint32_t word = instruction_at(code, at);

		if (is_simulated(word))
			return at > 0 && may_jump_into(code, size, at) ? 0 : at;
		if (!is_harmless(word))
			break;
	}
	return 0;
}
