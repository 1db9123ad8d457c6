// SPDX-License-Identifier: Apache-2.0
// Rows of unwind rules (unwind_table.h), from call-frame information and from code that has none.
#ifndef CUNWIND_H
#define CUNWIND_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

/// One stretch of code and how its frames are unwound: a rule of unwind_table.h.
struct cunwind_cfi_row {
	uint64_t start, end; // as linked
	uint64_t rule;
};

struct cunwind_cfi {
	struct cunwind_cfi_row *_Nullable rows; // malloc'd
	size_t count;
	uint64_t functions; // entries of functions
	uint64_t unreadable; // entries, or parts of them, that make no sense
};

enum cunwind_cfi_status {
	CUNWIND_CFI_OK,
	CUNWIND_CFI_NONE, // there is no call-frame information, or none for a machine known here
	CUNWIND_CFI_TOO_MUCH, // more rows or more time than agreed to
};

enum { CUNWIND_LARGEST_CFI = 1 << 28, CUNWIND_MOST_ROWS = 1 << 24 };

/// Call-frame information: `.eh_frame`, or `.debug_frame` where only that exists. Rows come in the order of the entries,
/// which may overlap. `fd`: the file, to read it by several threads; -1 where there is none.
enum cunwind_cfi_status cunwind_cfi_rows(Elf *_Nonnull elf, int fd, unsigned milliseconds,
					 struct cunwind_cfi *_Nonnull out);

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
size_t code_frames(const struct code_stretch *_Nonnull stretches, size_t count, struct code_row *_Nonnull rows,
		   size_t room);

#endif
