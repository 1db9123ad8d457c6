// SPDX-License-Identifier: Apache-2.0
// From call-frame information to rows. libdw finds the entries (cfi_entries.c); their instructions are run here, once
// each (cfi_program.c), for libdw's dwarf_cfi_addrframe() runs a function's anew for every row, and allocates whatever a
// file asks for. What is known of a frame becomes a rule (cfi_rule.c).
#ifndef CUNWIND_CFI_H
#define CUNWIND_CFI_H

#include "CUnwind.h"
#include "list.h"

#include <elfutils/libdw.h>

// Registers by their DWARF numbers (System V ABI for x86-64; DWARF for the Arm 64-bit architecture).
struct cfi_machine {
	int fp, sp, ra;
	bool x86;
};

// False for machines that have no rules here.
bool cfi_machine_of(Elf *elf, struct cfi_machine *machine);

// Bytes being read.
struct cfi_bytes {
	const uint8_t *at, *end;
};

// Where the caller's value of a register is.
enum cfi_where { CFI_UNDEFINED, CFI_SAME, CFI_AT_CFA, CFI_AT_REGISTER, CFI_ELSEWHERE };

struct cfi_saved {
	enum cfi_where where;
	uint64_t reg; // CFI_AT_REGISTER: the value is in memory, at this register + offset
	int64_t offset;
};

// What the instructions so far say of a frame: of the registers, those that it is unwound by.
struct cfi_frame {
	enum { CFI_NO_CFA, CFI_REGISTER, CFI_EXPRESSION } kind; // of the canonical frame address
	uint64_t reg;
	int64_t offset;
	struct cfi_bytes expression;
	struct cfi_saved fp, ra;
};

// A common information entry, as far as functions need it.
struct cfi_common {
	uint64_t code_alignment;
	int64_t data_alignment;
	uint8_t encoding; // of addresses; DW_EH_PE_omit: not understood
	bool is_signal;
	bool is_sized; // functions have augmentation data: where their exception table is
	bool returns; // its return address is the machine's
	struct cfi_frame initial;
};

// The work of one file.
struct cfi_run {
	struct cfi_machine machine;
	struct unwind_section section;
	const struct unwind_limits *limits;
	unsigned until_asked; // steps until the limits are looked at
	enum unwind_cfi_status status;
	struct unwind_list rows;
	uint64_t unreadable;
};

// One more step; false where there is no time for it.
static inline bool cfi_step(struct cfi_run *run)
{
	if (run->until_asked--)
		return true;
	run->until_asked = 4096;
	if (!run->limits->spent || !run->limits->spent(run->limits->context))
		return true;
	run->status = UNWIND_CFI_TOO_LONG;
	return false;
}

// Numbers; false where the bytes end before.
bool cfi_unsigned(struct cfi_bytes *bytes, uint64_t *value);
bool cfi_signed(struct cfi_bytes *bytes, int64_t *value);
bool cfi_fixed(struct cfi_bytes *bytes, size_t size, uint64_t *value);
// An address in one of the encodings of .eh_frame, read at `here`.
bool cfi_pointer(struct cfi_bytes *bytes, uint8_t encoding, uint64_t here, uint64_t *value);

// A register + offset, as an expression or the beginning of one says it.
bool cfi_base_register(struct cfi_bytes *expression, uint64_t *reg, int64_t *offset);

// The rule of unwind_table.h by which a frame is unwound.
uint64_t cfi_rule(const struct cfi_machine *machine, const struct cfi_frame *frame, bool is_signal);

// Runs the initial instructions of a common entry, whose other fields are set; false where they make no sense.
bool cfi_run_common(struct cfi_run *run, struct cfi_common *common, struct cfi_bytes instructions);
// Runs a function's instructions, and appends its rows.
void cfi_run_function(struct cfi_run *run, const struct cfi_common *common, struct cfi_bytes instructions,
		      uint64_t start, uint64_t end);

#endif
