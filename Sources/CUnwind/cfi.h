// SPDX-License-Identifier: Apache-2.0
// From call-frame information to rows: the functions that have an entry (cfi_functions.c), their frames as rules
// (cfi_rule.c), and both put together (cfi_rows.c).
#ifndef CUNWIND_CFI_H
#define CUNWIND_CFI_H

#include "CUnwind.h"
#include "list.h"

#include <elfutils/libdw.h>
#include <stdbool.h>

// Registers by their DWARF numbers (System V ABI for x86-64; DWARF for the Arm 64-bit architecture).
struct unwind_machine {
	int fp, sp, ra;
	bool x86;
};

// False for machines that have no rules here.
bool unwind_machine_of(Elf *elf, struct unwind_machine *machine);

// The rule of unwind_table.h by which a frame is unwound. `signal`: the frame is marked as a signal's.
uint64_t unwind_frame_rule(const struct unwind_machine *machine, Dwarf_Frame *frame, bool signal);

struct unwind_function {
	uint64_t start, end; // as linked
};

// Appends the functions that `.eh_frame` has entries of, or `.debug_frame`; counts entries that make no sense.
enum unwind_cfi_status unwind_functions(Elf *elf, bool eh, struct unwind_list *functions, uint64_t *unreadable);

#endif
