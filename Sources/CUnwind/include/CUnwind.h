// SPDX-License-Identifier: Apache-2.0
// Rows of unwind rules, from call-frame information and from code that has none. C, because a large program has millions
// of rows, and because Swift can't import capstone's headers.
#ifndef CUNWIND_H
#define CUNWIND_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A range of code and how its frames are unwound.
struct unwind_row {
	uint64_t start, end; // as linked
	uint64_t rule; // as unwind_table.h has it
};

/// A section of call-frame information.
struct unwind_section {
	Elf_Data *_Nonnull data; // as it is in the file
	uint64_t address; // as linked
	bool eh; // .eh_frame, not .debug_frame
};

/// What reading may cost.
struct unwind_limits {
	size_t rows;
	bool (*_Nullable spent)(void *_Nullable context); // asked now and then: is there no time left?
	void *_Nullable context;
};

/// What a file's call-frame information says.
struct unwind_cfi {
	struct unwind_row *_Nullable rows; // malloc'd
	size_t count;
	uint64_t unreadable; // entries, or parts of them, that make no sense
};

enum unwind_cfi_status {
	UNWIND_CFI_OK,
	UNWIND_CFI_NONE, // there is none for a machine known here
	UNWIND_CFI_TOO_MANY, // more rows than agreed to
	UNWIND_CFI_TOO_LONG, // more time than agreed to
};

/// Rows come in the order of the entries, which may overlap. Each instruction is read once: the time is in proportion to
/// the section's size, and memory is taken for the rows alone.
enum unwind_cfi_status unwind_cfi_rows(Elf *_Nonnull elf, const struct unwind_section *_Nonnull section,
				       const struct unwind_limits *_Nonnull limits, struct unwind_cfi *_Nonnull out);

/// Code as it is in a file, and where it is linked to.
struct unwind_code {
	const uint8_t *_Nullable bytes;
	size_t size;
	uint64_t address;
};

enum { UNWIND_LARGEST_CODE = 1 << 20 };

/// Rows of x86-64 code that has no call-frame information, where its own instructions leave no doubt, sorted by address
/// within each piece of code. Gives their number, `room` at most.
size_t unwind_code_rows(const struct unwind_code *_Nonnull pieces, size_t count, struct unwind_row *_Nonnull rows,
			size_t room);

#endif
