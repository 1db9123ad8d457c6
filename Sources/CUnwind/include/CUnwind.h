// SPDX-License-Identifier: Apache-2.0
// Rows of unwind rules, from call-frame information and from code that has none. C, because a large program has millions
// of rows, each of several calls of libdw, and because Swift can't import capstone's headers.
#ifndef CUNWIND_H
#define CUNWIND_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

/// A range of code and how its frames are unwound.
struct unwind_row {
	uint64_t start, end; // as linked
	uint64_t rule; // as unwind_table.h has it
};

/// What a file's call-frame information says.
struct unwind_cfi {
	struct unwind_row *_Nullable rows; // malloc'd
	size_t count;
	uint64_t functions; // entries of functions
	uint64_t unreadable; // entries, or parts of them, that make no sense
};

enum unwind_cfi_status {
	UNWIND_CFI_OK,
	UNWIND_CFI_NONE, // there is no call-frame information, or none for a machine known here
	UNWIND_CFI_TOO_MUCH, // more rows or more time than agreed to
};

enum { UNWIND_LARGEST_CFI = 1 << 28, UNWIND_MOST_ROWS = 1 << 24 };

/// Call-frame information: `.eh_frame`, or `.debug_frame` where only that exists. Rows come in the order of the entries,
/// which may overlap. `fd` is the file, to read it by several threads, or -1 where there is none.
enum unwind_cfi_status unwind_cfi_rows(Elf *_Nonnull elf, int fd, unsigned milliseconds,
				       struct unwind_cfi *_Nonnull out);

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
