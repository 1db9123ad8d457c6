// SPDX-License-Identifier: Apache-2.0
// Questions about machine code that a probe's placement depends on. Capstone's
// headers use unions and macros that Swift can't import.
#ifndef DISASSEMBLY_H
#define DISASSEMBLY_H

#include <stddef.h>
#include <stdint.h>

// Where in an x86-64 function, given whole, a probe costs one trap instead of two:
// bytes from its start to the first instruction that the kernel emulates, if all
// before it leave arguments, stack and frame pointer as they were, and no jump of
// the function leads behind its start up to there. 0: its entry, in all doubt.
size_t emulated_instruction(const uint8_t *_Nonnull code, size_t size);

// A stretch of code and how its frames are unwound: a rule of unwind_table.h.
struct code_row {
	uint64_t start, end;
	uint64_t rule;
};

// Code as it is in a file, and where it is linked to.
struct code_stretch {
	const uint8_t *_Nullable code;
	size_t size;
	uint64_t address;
};

enum { LARGEST_STRETCH = 1 << 20 };

// Rows of x86-64 code that call-frame information says nothing of, as far as its own instructions leave no doubt, by address
// in each stretch. Gives their number, `room` at most.
size_t code_frames(const struct code_stretch *_Nonnull stretches, size_t count, struct code_row *_Nonnull rows, size_t room);

#endif
